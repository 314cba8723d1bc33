// near_deduplicate: of texts that are nearly the same the first one stays.
#include <numeric>

#include "data/steps/kinds.h"
#include "data/steps/marks.h"
#include "data/steps/minhash.h"
#include "data/steps/spill.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

struct BandRow {
  uint64_t band;  // a hash of the band's number and values
  int64_t row;
  auto operator<=>(const BandRow&) const = default;
};

// Signatures by row, on disk.
class SignatureFile {
 public:
  SignatureFile(std::filesystem::path path, size_t words) : path_(std::move(path)), words_(words) {}
  SignatureFile(const SignatureFile&) = delete;
  SignatureFile& operator=(const SignatureFile&) = delete;
  ~SignatureFile() {
    if (file_.valid()) {
      ::unlink(path_.c_str());
    }
  }

  Status Append(const std::vector<uint32_t>& signature) {
    if (!file_.valid()) {
      file_ = storage::FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
      if (!file_.valid()) {
        return storage::FileError(errno, "create", path_.string());
      }
    }
    buffer_.insert(buffer_.end(), signature.begin(), signature.end());
    buffer_.resize(buffer_.size() + words_ - signature.size());
    return buffer_.size() >= kBufferWords ? Flush() : Status();
  }

  Status Flush() {
    ATELIER_TRY(storage::WriteAll(file_.get(), std::as_bytes(std::span(buffer_)), path_.string()));
    buffer_.clear();
    return {};
  }

  Result<std::vector<uint32_t>> Read(int64_t row) const {
    std::vector<uint32_t> out(words_);
    const size_t bytes = words_ * sizeof(uint32_t);
    const ssize_t count = ::pread(file_.get(), out.data(), bytes, static_cast<off_t>(bytes) * row);
    if (count != static_cast<ssize_t>(bytes)) {
      return storage::FileError(count < 0 ? errno : EIO, "read", path_.string());
    }
    return out;
  }

 private:
  static constexpr size_t kBufferWords = size_t{1} << 18U;
  std::filesystem::path path_;
  size_t words_;
  storage::FileDescriptor file_;
  std::vector<uint32_t> buffer_;
};

// Sets of rows; the smallest row stands for its set. Four bytes a row.
class RowSets {
 public:
  explicit RowSets(size_t rows) : parents_(rows) { std::iota(parents_.begin(), parents_.end(), 0U); }
  uint32_t Find(uint32_t row) {
    while (parents_[row] != row) {
      parents_[row] = parents_[parents_[row]];
      row = parents_[row];
    }
    return row;
  }
  void Join(uint32_t a, uint32_t b) {
    a = Find(a);
    b = Find(b);
    parents_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<uint32_t> parents_;
};

struct Options {
  std::vector<size_t> columns;
  double threshold = 0.8;
  size_t shingle = 5;
  size_t permutations = 128;
};

class NearFitter final : public Fitter {
 public:
  NearFitter(const Options& options, const FitContext& context)
      : options_(options),
        context_(context),
        hash_(options.permutations, options.shingle),
        bands_(ChooseBands(options.threshold, options.permutations)),
        signatures_(context.folder / (context.prefix + ".signatures"), options.permutations),
        places_(context.folder / (context.prefix + ".bands"), context.memory_bytes) {}

  Status Observe(const Batch& batch) override {
    std::string text;
    for (size_t i = 0; i < batch.rows(); ++i) {
      text.clear();
      for (const size_t index : options_.columns) {
        text += batch.columns[index].Text(i);
        text += ' ';
      }
      const std::vector<uint32_t> signature = hash_.Signature(text);
      ATELIER_TRY(signatures_.Append(signature));
      for (size_t band = 0; band < bands_.bands && !signature.empty(); ++band) {
        const std::string_view words(reinterpret_cast<const char*>(signature.data() + band * bands_.rows),
                                     bands_.rows * sizeof(uint32_t));
        ATELIER_TRY(places_.Add({HashBytes(words, band).low, rows_}));
      }
      if (++rows_ > kMaxRows) {
        return InvalidArgument("near_deduplicate takes fewer than 2^32 rows", "steps");
      }
    }
    return {};
  }

  Result<json::object> Finish() override {
    ATELIER_TRY(rows_ > 0 ? signatures_.Flush() : Status());
    RowSets sets(static_cast<size_t>(rows_));
    std::vector<int64_t> group;
    uint64_t band = 0;
    ATELIER_TRY(places_.ForEach([&](const BandRow& place) -> Status {
      if (!group.empty() && place.band == band) {
        return Compare(place.row, group, sets);
      }
      band = place.band;
      group.assign(1, place.row);
      return {};
    }));
    RowMarks marks(rows_);
    for (int64_t row = 0; row < rows_; ++row) {
      if (sets.Find(static_cast<uint32_t>(row)) != row) {
        marks.Set(row);
      }
    }
    return marks.Save(context_);
  }

 private:
  static constexpr int64_t kMaxRows = (int64_t{1} << 32U) - 2;
  static constexpr size_t kMostLeaders = 16;

  // Joins a row with the first of the group's leaders that it resembles; else it leads, too.
  Status Compare(int64_t row, std::vector<int64_t>& leaders, RowSets& sets) {
    const auto number = static_cast<uint32_t>(row);
    std::vector<uint32_t> signature;
    for (const int64_t leader : leaders) {
      if (sets.Find(static_cast<uint32_t>(leader)) == sets.Find(number)) {
        return {};
      }
      if (signature.empty()) {
        ATELIER_ASSIGN(own, signatures_.Read(row));
        signature = std::move(own);
      }
      ATELIER_ASSIGN(other, signatures_.Read(leader));
      if (Similarity(signature, other) >= options_.threshold) {
        sets.Join(number, static_cast<uint32_t>(leader));
        return {};
      }
    }
    if (leaders.size() < kMostLeaders) {
      leaders.push_back(row);
    }
    return {};
  }

  Options options_;
  FitContext context_;
  MinHash hash_;
  Bands bands_;
  SignatureFile signatures_;
  Spill<BandRow> places_;
  int64_t rows_ = 0;
};

Result<std::unique_ptr<Step>> Make(const Arguments& arguments, Schema& /*schema*/) {
  const Options options{.columns = arguments.Columns("columns"),
                        .threshold = arguments.Number("threshold"),
                        .shingle = static_cast<size_t>(arguments.Integer("shingle")),
                        .permutations = static_cast<size_t>(arguments.Integer("permutations"))};
  return MakeDropMarked([options](const FitContext& context) {
    return std::unique_ptr<Fitter>(std::make_unique<NearFitter>(options, context));
  });
}

constexpr Parameter kParameters[] = {{.name = "columns",
                                      .type = ParameterType::kColumns,
                                      .help = "Text columns, compared as one text",
                                      .fallback = "",
                                      .columns = kText},
                                     {.name = "threshold",
                                      .type = ParameterType::kNumber,
                                      .help = "Jaccard similarity from which two texts are the same (estimated)",
                                      .fallback = "0.8",
                                      .minimum = 0.1,
                                      .maximum = 1},
                                     {.name = "shingle",
                                      .type = ParameterType::kInteger,
                                      .help = "Characters of a piece",
                                      .fallback = "5",
                                      .minimum = 1,
                                      .maximum = 64},
                                     {.name = "permutations",
                                      .type = ParameterType::kInteger,
                                      .help = "Length of a signature: more are more exact and slower",
                                      .fallback = "128",
                                      .minimum = 16,
                                      .maximum = 512}};

}  // namespace

const StepKind kNearDeduplicateStep{"near_deduplicate", "Drop rows whose text nearly another row had before",
                                    kParameters, Make};

}  // namespace atelier::data::steps

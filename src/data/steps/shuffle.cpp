// shuffle: all rows in a random order. Each row draws a key; rows go to files by the first bits of their keys, and each
// file is put in order in memory when it is read.
#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "data/steps/kinds.h"
#include "data/steps/source.h"
#include "data/steps/values.h"
#include "storage/files.h"

namespace atelier::data::steps {
namespace {

constexpr uint64_t kBucketBytes = uint64_t{32} << 20U;
constexpr uint64_t kMostBuckets = 256;
constexpr size_t kMaxBucketBytes = size_t{1} << 34U;

struct Layout {
  enum class Form { kNumbers, kCode, kText, kPixels };
  struct Item {
    Form form;
    size_t bytes;  // of numbers and pixels
  };
  std::vector<Item> columns;
};

Layout LayoutOf(const Schema& schema) {
  Layout out;
  for (const SchemaColumn& column : schema.columns) {
    const auto width =
        std::accumulate(column.shape.begin(), column.shape.end(), size_t{1},
                        [](size_t product, int64_t size) { return product * static_cast<size_t>(size); });
    out.columns.push_back(HoldsFiles(column)                     ? Layout::Item{Layout::Form::kText, 0}
                          : column.type == ColumnType::kCategory ? Layout::Item{Layout::Form::kCode, sizeof(int32_t)}
                          : column.type == ColumnType::kImage    ? Layout::Item{Layout::Form::kPixels, width}
                                                                 : Layout::Item{Layout::Form::kNumbers, width * 4});
  }
  return out;
}

template <class T>
void AppendRaw(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// A record: its key, its length, its split, its values in order of the columns.
void AppendRecord(const Layout& layout, const Batch& batch, size_t row, uint64_t key, std::string& out) {
  AppendRaw(out, key);
  const size_t length_at = out.size();
  AppendRaw(out, uint32_t{0});
  out.push_back(static_cast<char>(batch.splits[row]));
  for (size_t i = 0; i < layout.columns.size(); ++i) {
    const ColumnRows& values = batch.columns[i];
    const size_t bytes = layout.columns[i].bytes;
    switch (layout.columns[i].form) {
      case Layout::Form::kNumbers:
        out.append(reinterpret_cast<const char*>(values.numbers.data()) + row * bytes, bytes);
        break;
      case Layout::Form::kCode:
        AppendRaw(out, values.codes[row]);
        break;
      case Layout::Form::kText:
        AppendRaw(out, static_cast<uint32_t>(values.Text(row).size()));
        out += values.Text(row);
        break;
      case Layout::Form::kPixels:
        out.append(values.bytes, row * bytes, bytes);
        break;
    }
  }
  const auto length = static_cast<uint32_t>(out.size() - length_at - sizeof(uint32_t));
  std::memcpy(out.data() + length_at, &length, sizeof(length));
}

// Takes values off the front of a record; false where it is too short.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  bool Take(T& value) {
    std::string_view bytes;
    if (!Take(sizeof(value), bytes)) {
      return false;
    }
    std::memcpy(&value, bytes.data(), sizeof(value));
    return true;
  }
  bool Take(size_t count, std::string_view& bytes) {
    if (rest_.size() < count) {
      return false;
    }
    bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return true;
  }
  size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

bool ReadRecord(const Layout& layout, std::string_view record, Batch& batch) {
  RecordReader reader(record);
  uint8_t split = 0;
  bool good = reader.Take(split) && split < kSplits;
  batch.splits.push_back(split);
  for (size_t i = 0; good && i < layout.columns.size(); ++i) {
    ColumnRows& values = batch.columns[i];
    std::string_view bytes;
    int32_t code = 0;
    uint32_t length = 0;
    switch (layout.columns[i].form) {
      case Layout::Form::kNumbers: {
        good = reader.Take(layout.columns[i].bytes, bytes);
        const size_t before = values.numbers.size();
        values.numbers.resize(before + bytes.size() / sizeof(float));
        if (!bytes.empty()) {
          std::memcpy(values.numbers.data() + before, bytes.data(), bytes.size());
        }
        break;
      }
      case Layout::Form::kCode:
        good = reader.Take(code);
        values.codes.push_back(code);
        break;
      case Layout::Form::kText:
        good = reader.Take(length) && reader.Take(length, bytes);
        values.AddText(bytes);
        break;
      case Layout::Form::kPixels:
        good = reader.Take(layout.columns[i].bytes, bytes);
        values.bytes += bytes;
        break;
    }
  }
  return good && reader.left() == 0;
}

struct Bucket {
  std::string file;
  int64_t rows = 0;
  uint64_t bytes = 0;
};

class ShuffleFitter final : public Fitter {
 public:
  ShuffleFitter(Layout layout, uint64_t seed, FitContext context)
      : layout_(std::move(layout)), seed_(seed), context_(std::move(context)) {
    const uint64_t wanted = std::clamp<uint64_t>(context_.expected_bytes / kBucketBytes, 1, kMostBuckets);
    bits_ = static_cast<unsigned>(std::bit_width(std::bit_ceil(wanted))) - 1;
    buckets_.resize(size_t{1} << bits_);
    for (size_t i = 0; i < buckets_.size(); ++i) {
      buckets_[i].bucket.file = context_.prefix + ".bucket" + std::to_string(i);
    }
  }

  Status Observe(const Batch& batch) override {
    for (size_t row = 0; row < batch.rows(); ++row) {
      const uint64_t key = RowHash(seed_, batch.first + static_cast<int64_t>(row));
      Open& open = buckets_[bits_ == 0 ? 0 : key >> (64 - bits_)];
      AppendRecord(layout_, batch, row, key, open.buffer);
      ++open.bucket.rows;
      if (open.buffer.size() >= kBufferBytes) {
        ATELIER_TRY(Flush(open));
      }
    }
    return {};
  }

  Result<json::object> Finish() override {
    json::array files;
    for (Open& open : buckets_) {
      ATELIER_TRY(Flush(open));
      ATELIER_TRY(storage::SyncDescriptor(open.file.get(), open.bucket.file));
      open.file = storage::FileDescriptor();
      files.push_back(
          json::object{{"file", open.bucket.file}, {"rows", open.bucket.rows}, {"bytes", open.bucket.bytes}});
    }
    ATELIER_TRY(storage::SyncDirectory(context_.folder));
    return json::object{{"buckets", std::move(files)}};
  }

 private:
  static constexpr size_t kBufferBytes = size_t{256} << 10U;
  struct Open {
    Bucket bucket;
    storage::FileDescriptor file;
    std::string buffer;
  };

  Status Flush(Open& open) {
    const std::filesystem::path path = context_.folder / open.bucket.file;
    if (!open.file.valid()) {
      open.file = storage::FileDescriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
      if (!open.file.valid()) {
        return storage::FileError(errno, "create", path.string());
      }
    }
    ATELIER_TRY(storage::WriteAll(open.file.get(), std::as_bytes(std::span(open.buffer)), path.string()));
    open.bucket.bytes += open.buffer.size();
    open.buffer.clear();
    return {};
  }

  Layout layout_;
  uint64_t seed_;
  FitContext context_;
  unsigned bits_ = 0;
  std::vector<Open> buckets_;
};

class ShuffledRows final : public RowSource {
 public:
  ShuffledRows(Layout layout, std::vector<Bucket> buckets, std::filesystem::path folder)
      : layout_(std::move(layout)), buckets_(std::move(buckets)), folder_(std::move(folder)) {}

  int64_t rows() const override {
    return std::accumulate(buckets_.begin(), buckets_.end(), int64_t{0},
                           [](int64_t sum, const Bucket& bucket) { return sum + bucket.rows; });
  }
  uint64_t bytes() const override {
    return std::accumulate(buckets_.begin(), buckets_.end(), uint64_t{0},
                           [](uint64_t sum, const Bucket& bucket) { return sum + bucket.bytes; });
  }
  int64_t position() const override { return position_; }

  Status Seek(int64_t row) override {
    position_ = std::min(row, rows());
    next_ = 0;
    records_.clear();
    int64_t first = 0;
    while (next_ < buckets_.size() && first + buckets_[next_].rows <= position_) {
      first += buckets_[next_++].rows;
    }
    if (next_ < buckets_.size()) {
      ATELIER_TRY(Load());
      used_ = static_cast<size_t>(position_ - first);
    }
    return {};
  }

  Result<bool> Next(Batch& batch) override {
    while (used_ == records_.size()) {
      if (next_ == buckets_.size()) {
        return false;
      }
      ATELIER_TRY(Load());
    }
    batch.splits.clear();
    batch.columns.assign(layout_.columns.size(), {});
    size_t bytes = 0;
    for (size_t count = 0; count < kBatchRows && used_ < records_.size() && (count == 0 || bytes < kBatchBytes);
         ++count) {
      const std::string_view record = records_[used_++].second;
      bytes += record.size();
      if (!ReadRecord(layout_, record, batch)) {
        return Damaged();
      }
    }
    position_ += static_cast<int64_t>(batch.rows());
    return true;
  }

 private:
  static Error Damaged() { return DataLoss("the shuffled rows of a step are damaged"); }

  // The next bucket, its records in order.
  Status Load() {
    const Bucket& bucket = buckets_[next_++];
    records_.clear();
    used_ = 0;
    ATELIER_ASSIGN(bytes, storage::ReadSmallFile(folder_ / bucket.file, kMaxBucketBytes));
    bytes_ = std::move(bytes);
    RecordReader reader(bytes_);
    while (reader.left() > 0) {
      uint64_t key = 0;
      uint32_t length = 0;
      std::string_view record;
      if (!reader.Take(key) || !reader.Take(length) || !reader.Take(length, record)) {
        return Damaged();
      }
      records_.emplace_back(key, record);
    }
    std::ranges::sort(records_, {}, [](const auto& record) { return record.first; });
    return static_cast<int64_t>(records_.size()) == bucket.rows ? Status() : Status(Damaged());
  }

  Layout layout_;
  std::vector<Bucket> buckets_;
  std::filesystem::path folder_;
  int64_t position_ = 0;
  size_t next_ = 0;  // bucket to load
  std::string bytes_;
  std::vector<std::pair<uint64_t, std::string_view>> records_;
  size_t used_ = 0;
};

class ShuffleStep final : public Step {
 public:
  ShuffleStep(Layout layout, uint64_t seed)
      : Step(kChangesRows | kReadsSplit | kFits), layout_(std::move(layout)), seed_(seed) {}

  // All columns must be as they are to be.
  std::vector<size_t> AlsoTouches() const override {
    std::vector<size_t> all(layout_.columns.size());
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
  }

  Result<std::unique_ptr<Fitter>> Fit(const FitContext& context) override {
    return std::unique_ptr<Fitter>(std::make_unique<ShuffleFitter>(layout_, seed_, context));
  }

  Status Load(const json::object& state, const std::filesystem::path& folder, Schema& /*schema*/) override {
    folder_ = folder;
    for (const auto& item : state.at("buckets").as_array()) {
      const json::object& bucket = item.as_object();
      buckets_.push_back(
          {GetString(bucket, "file"), GetInt(bucket, "rows"), static_cast<uint64_t>(GetInt(bucket, "bytes"))});
    }
    return {};
  }

  Status Apply(Batch& /*batch*/) override { return Internal("a shuffle has its own rows"); }

  Result<std::unique_ptr<RowSource>> Rows() override {
    return std::unique_ptr<RowSource>(std::make_unique<ShuffledRows>(layout_, buckets_, folder_));
  }

 private:
  Layout layout_;
  uint64_t seed_;
  std::filesystem::path folder_;
  std::vector<Bucket> buckets_;
};

Result<std::unique_ptr<Step>> Make(const Arguments& arguments, Schema& schema) {
  return std::unique_ptr<Step>(std::make_unique<ShuffleStep>(LayoutOf(schema), arguments.seed()));
}

constexpr Parameter kParameters[] = {kSeedParameter};

}  // namespace

const StepKind kShuffleStep{"shuffle", "Put the rows into a random order", kParameters, Make};

}  // namespace atelier::data::steps

#include "families/word_vectors/word2vec_files.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "tensor/mapped_file.h"
#include "text/utf8.h"

namespace atelier::families::word_vectors {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kBlank = " \t\r\n\v\f";
constexpr size_t kMaxWord = 4096;  // bytes

Error Invalid(const std::string& what) {
  return InvalidArgument("no file of word vectors: " + what, "", "invalid_model_file");
}

// Takes the text up to `end`, and `end`.
std::string_view TakeUntil(std::string_view& rest, char end) {
  const size_t at = std::min(rest.find(end), rest.size());
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return taken;
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(kBlank) + 1 - first);
}

// The last item of a line, which it loses.
std::string_view TakeLast(std::string_view& line) {
  line = line.substr(0, line.find_last_not_of(kBlank) + 1);
  const size_t before = line.find_last_of(kBlank);
  const std::string_view item = before == std::string_view::npos ? line : line.substr(before + 1);
  line.remove_suffix(item.size());
  return item;
}

template <class T>
bool Parse(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

struct Shape {
  size_t words = 0;
  size_t dimensions = 0;
};

// "WORDS DIMENSIONS", or nothing where the line is another.
std::optional<Shape> ReadShape(std::string_view line) {
  Shape shape;
  std::string_view left = Trim(line);
  const bool good = Parse(TakeLast(left), shape.dimensions) && Parse(Trim(left), shape.words);
  return good ? std::optional(shape) : std::nullopt;
}

Status CheckShape(const Shape& shape, size_t smallest, size_t bytes) {
  if (shape.words == 0 || shape.words > kMaxWords || shape.dimensions == 0 || shape.dimensions > kMaxDimensions) {
    return Invalid("it says that it has " + std::to_string(shape.words) + " words of " +
                   std::to_string(shape.dimensions) + " dimensions; at most " + std::to_string(kMaxWords) + " of " +
                   std::to_string(kMaxDimensions) + " are read");
  }
  if (shape.words > bytes / (shape.dimensions * smallest)) {
    return Invalid("it is too short for " + std::to_string(shape.words) + " words of " +
                   std::to_string(shape.dimensions) + " dimensions");
  }
  return {};
}

// Rows as they come; a word that was there before is left out with its vector.
class Collector {
 public:
  explicit Collector(const Shape& shape) : table_(shape.words, shape.dimensions) {}

  // Where the next word's numbers go.
  std::span<float> Row() { return table_.row(words_.size()); }
  Status Add(std::string_view word) {
    const std::string place = "word " + std::to_string(words_.size() + 1);
    if (word.empty() || word.size() > kMaxWord || word.find('\n') != std::string_view::npos) {
      return Invalid(place + (word.empty() ? " is empty" : " is too long, or holds a line feed"));
    }
    for (const float value : Row()) {
      if (!std::isfinite(value)) {
        return Invalid(place + " has a number that is not finite");
      }
    }
    std::string clean = text::ReplaceInvalidUtf8(word);
    if (known_.insert(clean).second) {
      words_.push_back(std::move(clean));
    }
    return {};
  }
  Result<WordVectors> Finish() && {
    Table table(words_.size(), table_.columns());
    std::copy_n(table_.data(), table.rows() * table.stride(), table.data());
    std::vector<int64_t> counts(words_.size(), 0);
    ATELIER_ASSIGN(vocabulary, Vocabulary::Make(std::move(words_), std::move(counts)));
    return WordVectors{std::move(vocabulary), std::move(table)};
  }

 private:
  Table table_;
  std::vector<std::string> words_;
  std::unordered_set<std::string> known_;
};

Result<WordVectors> ParseBinary(std::string_view rest, const Shape& shape) {
  ATELIER_TRY(CheckShape(shape, sizeof(float), rest.size()));
  Collector collector(shape);
  const size_t bytes = shape.dimensions * sizeof(float);
  for (size_t i = 0; i < shape.words; ++i) {
    rest.remove_prefix(std::min(rest.find_first_not_of('\n'), rest.size()));
    const std::string_view word = TakeUntil(rest, ' ');
    if (rest.size() < bytes) {
      return Invalid("it ends within word " + std::to_string(i + 1));
    }
    std::memcpy(collector.Row().data(), rest.data(), bytes);
    rest.remove_prefix(bytes);
    ATELIER_TRY(collector.Add(word));
  }
  return std::move(collector).Finish();
}

Status AddLine(std::string_view line, size_t number, Collector& collector) {
  const auto row = collector.Row();
  for (size_t i = row.size(); i > 0; --i) {
    if (!Parse(TakeLast(line), row[i - 1])) {
      return Invalid("line " + std::to_string(number) + " has no " + std::to_string(row.size()) + " numbers");
    }
  }
  return collector.Add(Trim(line));
}

Result<WordVectors> ParseText(std::string_view rest, const Shape& shape, size_t number) {
  ATELIER_TRY(CheckShape(shape, 2, rest.size() + 1));
  Collector collector(shape);
  size_t words = 0;
  for (; !rest.empty(); ++number) {
    const std::string_view line = TakeUntil(rest, '\n');
    if (Trim(line).empty()) {
      continue;
    }
    if (++words > shape.words) {
      return Invalid("it has more words than the " + std::to_string(shape.words) + " that it says");
    }
    ATELIER_TRY(AddLine(line, number, collector));
  }
  if (words < shape.words) {
    return Invalid("it has fewer words than the " + std::to_string(shape.words) + " that it says");
  }
  return std::move(collector).Finish();
}

// GloVe's: as many words as lines, as many numbers as the first line has behind its first item.
Result<WordVectors> ParseHeadless(std::string_view text) {
  Shape shape;
  shape.words = static_cast<size_t>(std::ranges::count(text, '\n')) + (text.ends_with('\n') ? 0 : 1);
  std::string_view first = text.substr(0, text.find('\n'));
  float value = 0;
  for (std::string_view item = TakeLast(first); !Trim(first).empty() && Parse(item, value); item = TakeLast(first)) {
    ++shape.dimensions;
  }
  if (shape.dimensions == 0) {
    return Invalid("its first line is neither \"WORDS DIMENSIONS\" nor a word and numbers");
  }
  return ParseText(text, shape, 1);
}

// In a text file the second line is a word and its numbers.
bool IsText(std::string_view rest, size_t dimensions) {
  std::string_view line = rest.substr(0, rest.find('\n'));
  float value = 0;
  for (size_t i = 0; i < dimensions; ++i) {
    if (!Parse(TakeLast(line), value)) {
      return false;
    }
  }
  return true;
}

Status CheckWord(const std::string& word) {
  return word.find_first_of(kBlank) == std::string::npos
             ? Status()
             : FailedPrecondition("the word '" + word.substr(0, 64) + "' holds white space, which these files cannot");
}

std::string Header(const WordIndex& vectors) {
  return std::to_string(vectors.vocabulary().size()) + " " + std::to_string(vectors.dimensions()) + "\n";
}

}  // namespace

Result<WordVectors> ParseWordVectors(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::string_view rest = text;
  const auto shape = ReadShape(TakeUntil(rest, '\n'));
  if (!shape.has_value()) {
    return ParseHeadless(text);
  }
  return shape->dimensions <= kMaxDimensions && IsText(rest, shape->dimensions) ? ParseText(rest, *shape, 2)
                                                                                : ParseBinary(rest, *shape);
}

Result<WordVectors> ReadWordVectors(const std::filesystem::path& file) {
  ATELIER_ASSIGN(mapped, tensor::MappedFile::Open(file));
  return ParseWordVectors(mapped.bytes());
}

Status WriteText(const WordIndex& vectors, const Sink& sink) {
  ATELIER_TRY(sink(Header(vectors)));
  std::string line;
  for (size_t i = 0; i < vectors.vocabulary().size(); ++i) {
    line = vectors.vocabulary().words()[i];
    ATELIER_TRY(CheckWord(line));
    for (const float value : vectors.Vector(static_cast<int32_t>(i))) {
      std::array<char, 32> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
      line += ' ';
      line.append(digits.data(), end);
    }
    line += '\n';
    ATELIER_TRY(sink(line));
  }
  return {};
}

Status WriteBinary(const WordIndex& vectors, const Sink& sink) {
  ATELIER_TRY(sink(Header(vectors)));
  for (size_t i = 0; i < vectors.vocabulary().size(); ++i) {
    const std::string& word = vectors.vocabulary().words()[i];
    ATELIER_TRY(CheckWord(word));
    const auto row = vectors.Vector(static_cast<int32_t>(i));
    ATELIER_TRY(sink(word + " "));
    ATELIER_TRY(sink({reinterpret_cast<const char*>(row.data()), row.size_bytes()}));
    ATELIER_TRY(sink("\n"));
  }
  return {};
}

}  // namespace atelier::families::word_vectors

// What the rows of a data set can be grouped by.
#include <cmath>
#include <cstring>

#include "learning/evaluate.h"
#include "text/utf8.h"

namespace atelier::learning {
namespace {

constexpr size_t kMostKeys = 64;
constexpr size_t kInputBytes = 240;

// One value of each of the rows, from a column of that type.
template <class T>
Result<std::vector<T>> Gather(const data::Reader& reader, const std::string& column, std::span<const int64_t> rows) {
  ATELIER_ASSIGN(shards, reader.Tensors(column));
  std::vector<T> all;
  for (const auto& shard : shards) {
    const size_t before = all.size();
    all.resize(before + shard.bytes.size() / sizeof(T));
    std::memcpy(all.data() + before, shard.bytes.data(), shard.bytes.size());
  }
  std::vector<T> values;
  for (const int64_t row : rows) {
    if (row < 0 || row >= std::ssize(all)) {
      return DataLoss("the data set has no row " + std::to_string(row));
    }
    values.push_back(all[static_cast<size_t>(row)]);
  }
  return values;
}

float CountCharacters(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += text::ReadUtf8(text, at).length) {
    ++count;
  }
  return static_cast<float>(count);
}

// The beginning of a text, cut between characters.
std::string Beginning(std::string_view text) {
  size_t end = 0;
  while (end < text.size()) {
    const auto step = text::ReadUtf8(text, end);
    if (end + step.length > kInputBytes) {
      return std::string(text.substr(0, end)) + "\u2026";
    }
    end += step.length;
  }
  return std::string(text);
}

Status AddText(const data::Reader& reader, const std::string& column, Predictions& predictions) {
  Key length{.name = column + ".length"};
  const bool first = predictions.inputs.empty();
  for (const int64_t row : predictions.rows) {
    ATELIER_ASSIGN(text, reader.Bytes(column, row));
    length.numbers.push_back(CountCharacters(text));
    if (first) {
      predictions.inputs.push_back(text::ReplaceInvalidUtf8(Beginning(text)));
    }
  }
  predictions.keys.push_back(std::move(length));
  return {};
}

}  // namespace

Status AddKeys(const data::Reader& reader, Predictions& predictions) {
  for (const auto& column : reader.manifest().columns) {
    if (column.name == reader.manifest().target || predictions.keys.size() >= kMostKeys) {
      continue;
    }
    if (column.type == data::ColumnType::kCategory && !column.categories.empty()) {
      ATELIER_ASSIGN(codes, Gather<int32_t>(reader, column.name, predictions.rows));
      predictions.keys.push_back({.name = column.name, .labels = column.categories, .codes = std::move(codes)});
    } else if (column.type == data::ColumnType::kNumber && column.shape.empty()) {
      ATELIER_ASSIGN(numbers, Gather<float>(reader, column.name, predictions.rows));
      predictions.keys.push_back({.name = column.name, .numbers = std::move(numbers)});
    } else if (column.type == data::ColumnType::kText) {
      ATELIER_TRY(AddText(reader, column.name, predictions));
    }
  }
  return {};
}

}  // namespace atelier::learning

#include "data/steps/values.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "data/formats/cells.h"

namespace atelier::data::steps {

std::string PrintFloat(float value) {
  if (std::trunc(value) == value) {
    return PrintNumber(value);
  }
  std::array<char, 32> text{};
  const auto [end, code] = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), end);
}

bool IsMissing(const SchemaColumn& column, const ColumnRows& values, size_t rows, size_t row) {
  switch (column.type) {
    case ColumnType::kNumber: {
      const size_t width = values.numbers.size() / rows;
      const auto begin = values.numbers.begin() + static_cast<std::ptrdiff_t>(row * width);
      return std::any_of(begin, begin + static_cast<std::ptrdiff_t>(width), [](float v) { return std::isnan(v); });
    }
    case ColumnType::kCategory:
      return values.codes[row] < 0;
    case ColumnType::kText:
    case ColumnType::kAudio:
      return values.Text(row).empty();
    case ColumnType::kImage:
      return !values.offsets.empty() && values.Text(row).empty();
  }
  return false;
}

std::string TextOf(const SchemaColumn& column, const ColumnRows& values, size_t row) {
  switch (column.type) {
    case ColumnType::kNumber:
      return std::isnan(values.numbers[row]) ? "" : PrintFloat(values.numbers[row]);
    case ColumnType::kCategory:
      return values.codes[row] < 0 ? "" : column.categories[static_cast<size_t>(values.codes[row])];
    default:
      return std::string(values.Text(row));
  }
}

}  // namespace atelier::data::steps

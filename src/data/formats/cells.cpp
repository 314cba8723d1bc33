#include "data/formats/cells.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/ids.h"

namespace atelier::data {
namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsIgnoringCase(std::string_view cell, std::string_view lower) {
  if (cell.size() != lower.size()) {
    return false;
  }
  for (size_t i = 0; i < cell.size(); ++i) {
    if (Lower(cell[i]) != lower[i]) {
      return false;
    }
  }
  return true;
}

// from_chars reports too large and too small alike; a negative exponent or leading "0." tells them apart.
bool IsTiny(std::string_view digits) {
  const size_t exponent = digits.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    return exponent + 1 < digits.size() && digits[exponent + 1] == '-';
  }
  const size_t first = digits.find_first_not_of("-0");
  return first != std::string_view::npos && digits[first] == '.';
}

}  // namespace

NumberKind ParseNumber(std::string_view cell, double& value) {
  if (!cell.empty() && cell.front() == '+') {
    cell.remove_prefix(1);
    if (!cell.empty() && cell.front() == '-') {
      return NumberKind::kNone;
    }
  }
  const size_t sign = !cell.empty() && cell.front() == '-' ? 1 : 0;
  if (cell.size() == sign || (cell[sign] != '.' && (cell[sign] < '0' || cell[sign] > '9'))) {
    return NumberKind::kNone;  // also keeps from_chars from reading "inf" and "nan"
  }
  const auto [end, code] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (end != cell.data() + cell.size()) {
    return NumberKind::kNone;
  }
  if (code == std::errc::result_out_of_range) {
    if (!IsTiny(cell)) {
      return NumberKind::kOverflow;
    }
    value = 0;
    return NumberKind::kDecimal;
  }
  if (code != std::errc()) {
    return NumberKind::kNone;
  }
  if (std::abs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
    return NumberKind::kOverflow;
  }
  return std::trunc(value) == value && std::abs(value) <= kExactIntegers ? NumberKind::kInteger : NumberKind::kDecimal;
}

bool IsMissing(std::string_view cell) {
  if (cell.empty()) {
    return true;
  }
  if (cell.size() > 4) {
    return false;
  }
  for (const std::string_view word : {"?", "na", "n/a", "nan", "null"}) {
    if (EqualsIgnoringCase(cell, word)) {
      return true;
    }
  }
  return false;
}

bool IsText(std::string_view text) { return text.find('\0') == std::string_view::npos && IsUtf8(text); }

std::string_view Trim(std::string_view cell) {
  while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) {
    cell.remove_prefix(1);
  }
  while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\t')) {
    cell.remove_suffix(1);
  }
  return cell;
}

std::string PrintNumber(double value) {
  if (std::trunc(value) == value && std::abs(value) <= kExactIntegers) {
    return std::to_string(static_cast<long long>(value));
  }
  std::array<char, 40> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

}  // namespace atelier::data

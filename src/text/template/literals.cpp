#include "text/template/literals.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "text/template/unicode.h"

namespace atelier::text::jinja {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int DigitValue(char c) {
  if (IsDigit(c)) {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
}

// The end of a run of digits of `base` with single underscores between them.
size_t DigitsEnd(std::string_view text, size_t at, int base) {
  while (at < text.size()) {
    if (DigitValue(text[at]) < base) {
      ++at;
    } else if (text[at] == '_' && at + 1 < text.size() && DigitValue(text[at + 1]) < base) {
      at += 2;
    } else {
      break;
    }
  }
  return at;
}

std::string WithoutUnderscores(std::string_view text) {
  std::string out(text);
  std::erase(out, '_');
  return out;
}

int BaseOf(std::string_view digits) {
  if (digits.size() < 2 || digits[0] != '0') {
    return 10;
  }
  switch (digits[1] | 0x20) {
    case 'x':
      return 16;
    case 'o':
      return 8;
    case 'b':
      return 2;
    default:
      return 10;
  }
}

// The end of what makes an integer a float: a fraction, an exponent, or both. `at` when neither stands there.
size_t FractionEnd(std::string_view text, size_t at) {
  size_t end = at;
  if (end + 1 < text.size() && text[end] == '.' && IsDigit(text[end + 1])) {
    end = DigitsEnd(text, end + 1, 10);
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    size_t exponent = end + 1;
    exponent += exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-') ? 1 : 0;
    if (exponent < text.size() && IsDigit(text[exponent])) {
      end = DigitsEnd(text, exponent, 10);
    }
  }
  return end;
}

// Reads `\x`, `\u`, `\U` and octal escapes at `at`, which is behind the backslash.
Result<std::string> NumericEscape(std::string_view body, size_t& at) {
  const char kind = body[at];
  size_t begin = at + 1;
  size_t count = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
  int base = 16;
  if (IsDigit(kind)) {
    begin = at;
    base = 8;
    for (count = 1; count < 3 && begin + count < body.size() && DigitValue(body[begin + count]) < 8; ++count) {
    }
  }
  char32_t value = 0;
  for (size_t i = begin; i < begin + count; ++i) {
    if (i >= body.size() || DigitValue(body[i]) >= base) {
      return InvalidArgument(std::string("a string has a broken escape '\\") + kind + "'");
    }
    value = value * static_cast<char32_t>(base) + static_cast<char32_t>(DigitValue(body[i]));
  }
  at = begin + count;
  std::string out;
  AppendUtf8(out, value);
  return out;
}

std::optional<char> SimpleEscape(char kind) {
  constexpr std::string_view kKinds = "\\'\"abfnrtv";
  constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
  const size_t found = kKinds.find(kind);
  return found == std::string_view::npos ? std::nullopt : std::optional(kMeanings[found]);
}

}  // namespace

NumberLiteral ScanNumber(std::string_view text, bool may_be_float) {
  const size_t digits = DigitsEnd(text, 0, 10);
  const size_t fraction = may_be_float ? FractionEnd(text, digits) : digits;
  if (fraction > digits) {
    return {fraction, true, WithoutUnderscores(text.substr(0, fraction))};
  }
  size_t end = digits;
  if (const int base = BaseOf(text); base != 10) {
    const size_t begin = text.size() > 2 && text[2] == '_' ? 3 : 2;
    end = std::max(digits, DigitsEnd(text, begin, base));
    end = end == begin ? digits : end;
  } else if (text[0] == '0') {
    for (end = 1; end < text.size() && (text[end] == '0' || text[end] == '_'); ++end) {
    }
  }
  return {end, false, WithoutUnderscores(text.substr(0, end))};
}

Result<Int> ParseInt(std::string_view digits) {
  const int base = BaseOf(digits);
  Int value = 0;
  if (digits.empty()) {
    return InvalidArgument("there is no number");
  }
  for (const char c : digits.substr(base == 10 ? 0 : 2)) {
    if (DigitValue(c) >= base || __builtin_mul_overflow(value, static_cast<Int>(base), &value) ||
        __builtin_add_overflow(value, static_cast<Int>(DigitValue(c)), &value)) {
      return InvalidArgument("'" + std::string(digits.substr(0, 64)) + "' is no integer of at most 127 bits");
    }
  }
  return value;
}

Result<double> ParseFloat(std::string_view text) {
  const Error bad = InvalidArgument("could not convert string to float: '" + std::string(text.substr(0, 64)) + "'");
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      digits.push_back(text[i]);
    } else if (i == 0 || i + 1 == text.size() || !IsDigit(text[i - 1]) || !IsDigit(text[i + 1])) {
      return bad;
    }
  }
  std::string_view rest = digits;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) {
    rest.remove_prefix(1);
  }
  const std::string lower = Lower(rest);
  double value = 0;
  if (lower == "inf" || lower == "infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (lower == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    if (rest.empty() || !(IsDigit(rest[0]) || rest[0] == '.')) {
      return bad;
    }
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error == std::errc::invalid_argument || end != rest.data() + rest.size()) {
      return bad;
    }
    if (error == std::errc::result_out_of_range) {
      const bool tiny = lower.find("e-") != std::string::npos;
      value = tiny ? 0 : std::numeric_limits<double>::infinity();
    }
  }
  return negative ? -value : value;
}

Result<std::string> Unescape(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  for (size_t at = 0; at < body.size();) {
    if (body[at] != '\\' || at + 1 >= body.size()) {
      out.push_back(body[at++]);
      continue;
    }
    const char kind = body[++at];
    if (const auto simple = SimpleEscape(kind)) {
      out.push_back(*simple);
      ++at;
    } else if (kind == '\n') {
      ++at;
    } else if (kind == 'x' || kind == 'u' || kind == 'U' || DigitValue(kind) < 8) {
      ATELIER_ASSIGN(text, NumericEscape(body, at));
      out += text;
    } else {
      out.push_back('\\');  // an unknown escape stays as it is
    }
  }
  return out;
}

}  // namespace atelier::text::jinja

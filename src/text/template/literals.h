// The literals of the template language: Python's numbers and string escapes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "text/template/value.h"

namespace atelier::text::jinja {

struct NumberLiteral {
  size_t bytes = 0;  // of the source
  bool is_float = false;
  std::string digits;  // without underscores; "0x", "0o", "0b" stay
};

// The number at the start of `text`, which begins with a digit.
NumberLiteral ScanNumber(std::string_view text, bool may_be_float);

// Decimal, or with one of the prefixes. Errors: kInvalidArgument (no such number, or beyond 127 bits).
Result<Int> ParseInt(std::string_view digits);
// What Python's float() takes of a text without spaces around it: also "inf", "nan", underscores between digits.
Result<double> ParseFloat(std::string_view text);

// What a string literal means; `body` is what stands between its quotes. Errors: kInvalidArgument (broken escape).
Result<std::string> Unescape(std::string_view body);

}  // namespace atelier::text::jinja

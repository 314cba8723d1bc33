// One cell of text: is it missing, is it a number?
#pragma once

#include <string>
#include <string_view>

namespace atelier::data {

enum class NumberKind { kNone, kInteger, kDecimal, kOverflow };

// Strict: optional sign, decimal digits with at most one point, optional exponent; nothing else ("inf", "nan", "0x1",
// "1,5", "1_000" are no numbers). kOverflow: a number that a 32-bit float cannot hold. 1.0 counts as an integer.
NumberKind ParseNumber(std::string_view cell, double& value);

// "", "?", "NA", "N/A", "NaN", "null" in any case.
bool IsMissing(std::string_view cell);

// Whether it is UTF-8 without NUL; and what to say where not, behind the place.
bool IsText(std::string_view text);
inline constexpr std::string_view kNoText = " is no UTF-8 text (the option encoding names another encoding)";

// Without spaces and tabs at both ends.
std::string_view Trim(std::string_view cell);

// "3" for 3.0, else the shortest text that reads back as the same double.
std::string PrintNumber(double value);

}  // namespace atelier::data

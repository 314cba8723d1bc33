// Languages of JSON numbers by their value: all, integers, bounded, multiples, one value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "engine/grammar/dfa.h"

namespace atelier::engine::grammar {

// An exact decimal number: digits without superfluous zeros.
struct Decimal {
  bool negative = false;
  std::string whole;     // "0" or without leading zeros
  std::string fraction;  // without trailing zeros; may be empty

  bool zero() const { return whole == "0" && fraction.empty(); }
};

// nullopt where the value is no finite number.
std::optional<Decimal> ToDecimal(const json::value& value);

// Errors of all: "schema_too_complex".
Result<Dfa> AnyNumber(Budget& budget);       // RFC 8259, exponents of at most three digits that no double overflows by
Result<Dfa> AnyInteger(Budget& budget);      // 12 and 12.0, as JSON Schema counts both as integers from draft 6 on
Result<Dfa> AnyWholeNumber(Budget& budget);  // 12

struct Comparison {
  bool less = false, equal = false, greater = false;  // which texts belong, by how their value compares with the bound
};
// Plain decimals (without exponent) by comparison with `bound`.
Result<Dfa> Compared(const Decimal& bound, Comparison comparison, Budget& budget);
// Plain decimals that are (or are not) a multiple of `step`, which must be positive; nullopt where it has too many
// digits.
Result<std::optional<Dfa>> Multiples(const Decimal& step, bool multiple, Budget& budget);

}  // namespace atelier::engine::grammar

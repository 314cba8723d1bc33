// Which rows train, validate and test a model.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "data/manifest.h"

namespace atelier::data {

inline constexpr uint8_t kUnassigned = 255;

struct SplitInput {
  std::vector<uint8_t> given;     // a row: what the source says, a Split or kUnassigned
  std::vector<int32_t> strata;    // a row: its category; empty: not stratified
  std::vector<double> fractions;  // train, validation, test; empty: 1, 0, 0
  uint64_t seed = 1;
};

// A Split for each row. Where the source assigns no row, all rows are dealt out by the fractions. Where it assigns
// some, its parts stay as they are, its unassigned rows count as train, and a part that it has not is taken from the
// train rows. The result depends on the input alone, on every machine. Errors: kInvalidArgument (fractions).
Result<std::vector<uint8_t>> AssignSplits(const SplitInput& input);

// Three numbers of 0..1 that add up to 1 within 1e-6, the first above 0. Errors: kInvalidArgument on `param`.
Status CheckFractions(const std::vector<double>& fractions, std::string_view param);

}  // namespace atelier::data

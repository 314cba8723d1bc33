// The folds of a cross-validation (M. Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions",
// 1974).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace atelier::data {

struct Fold {
  int64_t index = 0;  // which one is held out, from 0
  int64_t count = 5;  // at least 2
  uint64_t seed = 1;
};

struct FoldRows {
  std::vector<int64_t> rest;  // ascending
  std::vector<int64_t> held;  // ascending
};

// Deals the rows out to `count` folds, evenly within each stratum, whose folds differ by one row at most, and in all.
// `strata` has one code a row, or is empty. Together the folds hold every row once. The result depends on the input
// alone. Errors: kInvalidArgument on `folds` (fewer rows than folds, an index out of range).
Result<FoldRows> DivideFold(std::span<const int64_t> rows, std::span<const int32_t> strata, const Fold& fold);

}  // namespace atelier::data

// Which rows train, validate and test a model.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "data/manifest.h"

namespace atelier::data {

inline constexpr uint8_t kUnassigned = 255;

// How many rows of each stratum go to each split. The shares are rounded on the running total, so every stratum gets
// its share within one row, and so does the whole.
class Shares {
 public:
  explicit Shares(const std::array<double, kSplits>& fractions) : fractions_(fractions) {}
  // Of the next stratum, which has `rows` rows.
  std::array<int64_t, kSplits> Take(int64_t rows);

 private:
  std::array<double, kSplits> fractions_;
  int64_t dealt_ = 0;
};

struct SplitInput {
  std::vector<uint8_t> given{};     // a row: what the source says, a Split or kUnassigned
  std::vector<double> fractions{};  // train, validation, test; empty: 1, 0, 0
  uint64_t seed = 1;
  // Hands the categories of all rows to `take`, in order and in pieces; it is called twice. Absent: not stratified.
  std::function<Status(const std::function<void(std::span<const int32_t>)>& take)> strata{};
};

// A Split for each row. Where the source assigns no row, all rows are dealt out by the fractions. Where it assigns
// some, its parts stay as they are, its unassigned rows count as train, and a part that it has not is taken from the
// train rows. The result depends on the input alone, on every machine. Holds one byte a row. Errors: kInvalidArgument
// (fractions), those of `strata`.
Result<std::vector<uint8_t>> AssignSplits(SplitInput input);

// Three numbers of 0..1 that add up to 1 within 1e-6, the first above 0. Errors: kInvalidArgument on `param`.
Status CheckFractions(const std::vector<double>& fractions, std::string_view param);

}  // namespace atelier::data

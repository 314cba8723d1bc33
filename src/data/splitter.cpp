#include "data/splitter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "base/rng.h"

namespace atelier::data {
namespace {

int64_t Rounded(double value) { return static_cast<int64_t>(std::floor(value + 0.5)); }

// Deals rows one after another: a row goes to a split with the chance of the places that are left there, so each split
// gets exactly its number and every choice of rows is equally likely (D. Knuth, TAOCP 2, 3.4.2, algorithm S).
class Dealer {
 public:
  Dealer(const std::array<double, kSplits>& fractions, const std::map<int32_t, int64_t>& counts, uint64_t seed) {
    Shares shares(fractions);
    for (const auto& [stratum, rows] : counts) {
      strata_.emplace(stratum, Stratum{shares.Take(rows), rows,
                                       SeededRng(seed, static_cast<uint64_t>(static_cast<int64_t>(stratum) + 1))});
    }
  }

  uint8_t Deal(int32_t stratum) {
    Stratum& from = strata_.at(stratum);
    int64_t place = from.rng.Below(static_cast<uint32_t>(from.left));
    --from.left;
    size_t split = kSplits - 1;
    while (place >= from.places.at(split)) {
      place -= from.places.at(split);
      --split;
    }
    --from.places.at(split);
    return static_cast<uint8_t>(split);
  }

 private:
  struct Stratum {
    std::array<int64_t, kSplits> places;
    int64_t left;
    SeededRng rng;
  };
  std::map<int32_t, Stratum> strata_;
};

// The fractions of what is still to be dealt: the parts that the source has itself get nothing.
std::array<double, kSplits> Remaining(const std::vector<double>& wanted, const std::array<bool, kSplits>& has) {
  std::array<double, kSplits> fractions{1, 0, 0};
  if (wanted.empty()) {
    return fractions;
  }
  double total = wanted[0];
  for (size_t i = 1; i < kSplits; ++i) {
    fractions.at(i) = has.at(i) ? 0 : wanted[i];
    total += fractions.at(i);
  }
  fractions[0] = wanted[0];
  for (double& fraction : fractions) {
    fraction /= total;
  }
  return fractions;
}

}  // namespace

Status CheckFractions(const std::vector<double>& fractions, std::string_view param) {
  const std::string name(param);
  if (fractions.size() != kSplits) {
    return InvalidArgument("'" + name + "' takes three fractions: train, validation, test", name);
  }
  double sum = 0;
  for (const double fraction : fractions) {
    if (!std::isfinite(fraction) || fraction < 0 || fraction > 1) {
      return InvalidArgument("'" + name + "' takes fractions between 0 and 1", name);
    }
    sum += fraction;
  }
  if (std::abs(sum - 1) > 1e-6 || fractions[0] <= 0) {
    return InvalidArgument("the fractions of '" + name + "' must add up to 1, with some for train", name);
  }
  return {};
}

std::array<int64_t, kSplits> Shares::Take(int64_t rows) {
  const int64_t before = dealt_;
  dealt_ += rows;
  std::array<int64_t, kSplits> out{rows, 0, 0};
  for (const Split split : {Split::kTest, Split::kValidation}) {
    const auto index = static_cast<size_t>(split);
    const double fraction = fractions_.at(index);
    const int64_t share =
        Rounded(static_cast<double>(dealt_) * fraction) - Rounded(static_cast<double>(before) * fraction);
    out.at(index) = std::min(share, out[0]);
    out[0] -= out.at(index);
  }
  return out;
}

Result<std::vector<uint8_t>> AssignSplits(SplitInput input) {
  if (!input.fractions.empty()) {
    ATELIER_TRY(CheckFractions(input.fractions, "split"));
  }
  if (input.given.size() >= std::numeric_limits<uint32_t>::max()) {
    return InvalidArgument("a data set takes fewer than 2^32 rows");
  }
  std::array<bool, kSplits> has{};
  for (const uint8_t given : input.given) {
    if (given < kSplits) {
      has.at(given) = true;
    }
  }
  std::vector<uint8_t> splits = std::move(input.given);
  const auto fractions = Remaining(input.fractions, has);
  if (fractions[0] >= 1) {
    std::ranges::replace(splits, kUnassigned, static_cast<uint8_t>(Split::kTrain));
    return splits;
  }
  // Calls `use` with the place and the stratum of each row that is to be dealt.
  const auto for_each = [&](const auto& use) -> Status {
    size_t row = 0;
    const auto take = [&](std::span<const int32_t> strata) {
      for (const int32_t stratum : strata.first(std::min(strata.size(), splits.size() - row))) {
        if (splits[row] == kUnassigned || splits[row] == static_cast<uint8_t>(Split::kTrain)) {
          use(row, stratum);
        }
        ++row;
      }
    };
    if (input.strata) {
      ATELIER_TRY(input.strata(take));
    } else {
      const std::vector<int32_t> none(size_t{1} << 16U);
      while (row < splits.size()) {
        take(none);
      }
    }
    return row == splits.size() ? Status() : Internal("a row has no stratum");
  };
  std::map<int32_t, int64_t> counts;
  ATELIER_TRY(for_each([&](size_t /*row*/, int32_t stratum) { ++counts[stratum]; }));
  Dealer dealer(fractions, counts, input.seed);
  ATELIER_TRY(for_each([&](size_t row, int32_t stratum) { splits[row] = dealer.Deal(stratum); }));
  return splits;
}

}  // namespace atelier::data

#include "data/splitter.h"

#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "base/rng.h"

namespace atelier::data {
namespace {

int64_t Rounded(double value) { return static_cast<int64_t>(std::floor(value + 0.5)); }

// Deals the rows of one stratum after another. The shares are rounded on the running total, so every stratum gets
// its share within one row, and so does the whole.
class Dealer {
 public:
  explicit Dealer(const std::array<double, kSplits>& fractions) : fractions_(fractions) {}

  void Deal(const std::vector<int64_t>& shuffled, std::vector<uint8_t>& splits) {
    const int64_t before = dealt_;
    dealt_ += static_cast<int64_t>(shuffled.size());
    size_t next = 0;
    for (const Split split : {Split::kTest, Split::kValidation}) {
      const double fraction = fractions_.at(static_cast<size_t>(split));
      const int64_t share =
          Rounded(static_cast<double>(dealt_) * fraction) - Rounded(static_cast<double>(before) * fraction);
      for (int64_t i = 0; i < share && next < shuffled.size(); ++i) {
        splits[static_cast<size_t>(shuffled[next++])] = static_cast<uint8_t>(split);
      }
    }
    while (next < shuffled.size()) {
      splits[static_cast<size_t>(shuffled[next++])] = static_cast<uint8_t>(Split::kTrain);
    }
  }

 private:
  std::array<double, kSplits> fractions_;
  int64_t dealt_ = 0;
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

Result<std::vector<uint8_t>> AssignSplits(const SplitInput& input) {
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
  std::vector<uint8_t> splits = input.given;
  std::map<int32_t, std::vector<int64_t>> strata;
  for (size_t i = 0; i < splits.size(); ++i) {
    if (splits[i] == kUnassigned || splits[i] == static_cast<uint8_t>(Split::kTrain)) {
      strata[input.strata.empty() ? 0 : input.strata[i]].push_back(static_cast<int64_t>(i));
    }
  }
  Dealer dealer(Remaining(input.fractions, has));
  for (auto& [stratum, rows] : strata) {
    SeededRng rng(input.seed, static_cast<uint64_t>(static_cast<int64_t>(stratum) + 1));
    rng.Shuffle(rows);
    dealer.Deal(rows, splits);
  }
  return splits;
}

}  // namespace atelier::data

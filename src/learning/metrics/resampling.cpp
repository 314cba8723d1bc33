#include "learning/metrics/resampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"

namespace atelier::learning {
namespace {

constexpr size_t kMostEnumerated = 13;
constexpr int64_t kExactBelow = 25;

// The value that a share of the sorted values lies below, between neighbours linearly.
double Percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Interval Percentiles(std::vector<double> values, double confidence) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) {
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    return {nothing, nothing};
  }
  std::ranges::sort(values);
  return {Percentile(values, (1 - confidence) / 2), Percentile(values, (1 + confidence) / 2)};
}

// log(n! / (k! (n - k)!))
double LogChoose(int64_t n, int64_t k) {
  return std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(k) + 1) -
         std::lgamma(static_cast<double>(n - k) + 1);
}

// A sum that differs by rounding only is as far.
bool AsFar(double sum, double wanted) { return std::abs(sum) >= wanted - 1e-12 * std::max(1.0, wanted); }

double EnumerateSigns(std::span<const double> differences, double wanted) {
  const uint32_t all = 1U << differences.size();
  int64_t count = 0;
  for (uint32_t signs = 0; signs < all; ++signs) {
    double sum = 0;
    for (size_t i = 0; i < differences.size(); ++i) {
      sum += (signs >> i & 1U) != 0 ? differences[i] : -differences[i];
    }
    count += AsFar(sum, wanted) ? 1 : 0;
  }
  return static_cast<double>(count) / static_cast<double>(all);
}

// One random bit after another.
class Coin {
 public:
  explicit Coin(uint64_t seed) : rng_(seed) {}
  bool Toss() {
    if (left_ == 0) {
      bits_ = rng_.Next();
      left_ = 32;
    }
    --left_;
    return (bits_ >> left_ & 1U) != 0;
  }

 private:
  SeededRng rng_;
  uint32_t bits_ = 0;
  int left_ = 0;
};

}  // namespace

Interval Bootstrap(size_t rows, const Statistic& statistic, const ResamplingOptions& options) {
  std::vector<double> values;
  std::vector<uint32_t> drawn(rows);
  SeededRng rng(options.seed);
  for (int i = 0; i < options.resamples && rows > 0; ++i) {
    for (auto& row : drawn) {
      row = rng.Below(static_cast<uint32_t>(rows));
    }
    values.push_back(statistic(drawn));
  }
  return Percentiles(std::move(values), options.confidence);
}

Interval BootstrapMean(std::span<const double> values, const ResamplingOptions& options) {
  std::vector<double> means;
  SeededRng rng(options.seed);
  for (int i = 0; i < options.resamples && !values.empty(); ++i) {
    double sum = 0;
    for (size_t j = 0; j < values.size(); ++j) {
      sum += values[rng.Below(static_cast<uint32_t>(values.size()))];
    }
    means.push_back(sum / static_cast<double>(values.size()));
  }
  return Percentiles(std::move(means), options.confidence);
}

McNemarResult McNemar(int64_t only_a, int64_t only_b) {
  const int64_t all = only_a + only_b;
  if (all >= kExactBelow) {
    const double distance = std::max(std::abs(static_cast<double>(only_a - only_b)) - 1, 0.0);
    const double chi_squared = distance * distance / static_cast<double>(all);
    return {std::erfc(std::sqrt(chi_squared / 2)), false};  // of one degree of freedom
  }
  double tail = 0;
  for (int64_t k = 0; k <= std::min(only_a, only_b); ++k) {
    tail += std::exp(LogChoose(all, k) - static_cast<double>(all) * std::log(2.0));
  }
  return {std::min(2 * tail, 1.0), true};
}

double PairedPermutation(std::span<const double> differences, const ResamplingOptions& options) {
  double sum = 0;
  for (const double difference : differences) {
    sum += difference;
  }
  const double wanted = std::abs(sum);
  if (differences.size() <= kMostEnumerated) {
    return EnumerateSigns(differences, wanted);
  }
  Coin coin(options.seed);
  int64_t count = 0;
  for (int i = 0; i < options.resamples; ++i) {
    double drawn = 0;
    for (const double difference : differences) {
      drawn += coin.Toss() ? difference : -difference;
    }
    count += AsFar(drawn, wanted) ? 1 : 0;
  }
  return static_cast<double>(count + 1) / (static_cast<double>(options.resamples) + 1);
}

double PairedRandomisation(size_t rows, const std::function<double(std::span<const uint8_t> swapped)>& difference,
                           const ResamplingOptions& options) {
  std::vector<uint8_t> swapped(rows, 0);
  const double wanted = std::abs(difference(swapped));
  Coin coin(options.seed);
  int64_t count = 0;
  for (int i = 0; i < options.resamples; ++i) {
    for (auto& flag : swapped) {
      flag = coin.Toss() ? 1 : 0;
    }
    count += AsFar(difference(swapped), wanted) ? 1 : 0;
  }
  return static_cast<double>(count + 1) / (static_cast<double>(options.resamples) + 1);
}

}  // namespace atelier::learning

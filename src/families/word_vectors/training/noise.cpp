#include "families/word_vectors/training/noise.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace atelier::families::word_vectors {
namespace {

constexpr double kWhole = 0x1p32;

}  // namespace

AliasTable::AliasTable(std::span<const double> weights) : cells_(weights.size()) {
  const double mean = std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
  std::vector<double> shares(weights.size());
  std::vector<size_t> small;
  std::vector<size_t> large;
  for (size_t i = 0; i < weights.size(); ++i) {
    shares[i] = weights[i] / mean;
    (shares[i] < 1 ? small : large).push_back(i);
  }
  const auto fill = [&](size_t cell, double share, size_t other) {
    cells_[cell] = {static_cast<uint32_t>(std::clamp(share * kWhole, 0.0, kWhole - 1)), static_cast<int32_t>(other)};
  };
  while (!small.empty() && !large.empty()) {
    const size_t cell = small.back();
    const size_t other = large.back();
    small.pop_back();
    fill(cell, shares[cell], other);
    shares[other] -= 1 - shares[cell];
    if (shares[other] < 1) {
      large.pop_back();
      small.push_back(other);
    }
  }
  for (const auto* rest : {&small, &large}) {  // whole cells but for rounding
    for (const size_t cell : *rest) {
      fill(cell, 1, cell);
    }
  }
}

AliasTable NoiseTable(std::span<const int64_t> counts) {
  std::vector<double> weights;
  weights.reserve(counts.size());
  for (const int64_t count : counts) {
    weights.push_back(std::pow(static_cast<double>(count), 0.75));
  }
  return AliasTable(weights);
}

std::vector<uint64_t> KeepShares(std::span<const int64_t> counts, double sample) {
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
  std::vector<uint64_t> shares;
  shares.reserve(counts.size());
  for (const int64_t count : counts) {
    const double ratio = static_cast<double>(count) / (sample * total);  // infinite without a sample
    const double kept = sample > 0 ? (std::sqrt(ratio) + 1) / ratio : 1;
    shares.push_back(static_cast<uint64_t>(std::min(kept, 1.0) * kWhole));
  }
  return shares;
}

}  // namespace atelier::families::word_vectors

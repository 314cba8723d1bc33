#include "engine/position_bias.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace atelier::engine {
namespace {

// ALiBi's slopes: a geometric series; heads beyond a power of two take every other
// term of the next one's.
std::vector<float> Slopes(size_t heads, double bias) {
  std::vector<float> slopes(heads);
  const size_t whole = std::bit_floor(heads);
  for (size_t head = 0; head < heads; ++head) {
    const double exponent = head < whole ? static_cast<double>(head + 1) : (static_cast<double>(head - whole) + 0.5);
    slopes[head] = static_cast<float>(std::exp2(-bias * exponent / static_cast<double>(whole)));
  }
  return slopes;
}

constexpr double kFarthest = 128;  // positions farther away share a bucket

// T5's bucket of a key's distance from its query: one for each small distance, then logarithmically wider ones; half
// of the buckets are for keys behind the query, where it may see them.
size_t Bucket(size_t query, size_t key, size_t buckets, bool both_ways) {
  size_t first = 0;
  size_t distance = query > key ? query - key : 0;
  if (both_ways) {
    buckets /= 2;
    first = key > query ? buckets : 0;
    distance = std::max(query, key) - std::min(query, key);
  }
  const size_t exact = buckets / 2;
  if (distance < exact) {
    return first + distance;
  }
  const double ratio = static_cast<double>(distance) / static_cast<double>(exact);
  const double steps =
      std::log(ratio) / std::log(kFarthest / static_cast<double>(exact)) * static_cast<double>(buckets - exact);
  return first + std::min(buckets - 1, exact + static_cast<size_t>(std::max(0.0, steps)));
}

}  // namespace

PositionBias::PositionBias(const ModelConfig& config, std::span<const float> relative)
    : config_(config), relative_(relative) {
  if (config.alibi_bias > 0) {
    slopes_ = Slopes(static_cast<size_t>(config.heads), config.alibi_bias);
  }
}

void PositionBias::AddTo(std::span<float> scores, size_t first, size_t query, size_t head) const {
  if (!relative_.empty()) {
    const auto heads = static_cast<size_t>(config_.heads);
    const auto buckets = static_cast<size_t>(config_.relative_buckets);
    for (size_t i = 0; i < scores.size(); ++i) {
      scores[i] += relative_[Bucket(query, first + i, buckets, !config_.causal) * heads + head];
    }
  }
  if (!slopes_.empty()) {
    for (size_t i = 0; i < scores.size(); ++i) {
      const auto distance = static_cast<float>(std::max(first + i, query) - std::min(first + i, query));
      scores[i] -= slopes_[head] * distance;
    }
  }
}

}  // namespace atelier::engine

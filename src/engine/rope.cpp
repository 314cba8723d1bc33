#include "engine/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace atelier::engine {
namespace {

// The dimension pair (not rounded) whose wave turns `turns` times within the original context.
double PairOfTurns(const RopeConfig& config, double turns) {
  return static_cast<double>(config.dimensions) *
         std::log(static_cast<double>(config.original_context) / (turns * 2 * std::numbers::pi)) /
         (2 * std::log(config.base));
}

// YaRN's share of interpolation: none for fast waves, all for slow ones, a ramp between.
double Interpolation(const RopeConfig& config, size_t pair) {
  const double low = std::max(0.0, std::floor(PairOfTurns(config, config.beta_fast)));
  const double high =
      std::min(static_cast<double>(config.dimensions - 1), std::ceil(PairOfTurns(config, config.beta_slow)));
  return std::clamp((static_cast<double>(pair) - low) / std::max(0.001, high - low), 0.0, 1.0);
}

}  // namespace

RopeTable::RopeTable(Rope kind, const RopeConfig& config, std::span<const float> factors)
    : kind_(kind), frequencies_(static_cast<size_t>(config.dimensions / 2)), magnitude_(config.attention_factor) {
  for (size_t i = 0; i < frequencies_.size(); ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(config.dimensions);
    const double plain = std::pow(config.base, exponent) / (factors.empty() ? 1.0 : static_cast<double>(factors[i]));
    const double share = config.scaling == RopeScaling::kYarn     ? Interpolation(config, i)
                         : config.scaling == RopeScaling::kLinear ? 1.0
                                                                  : 0.0;
    frequencies_[i] = plain * (1.0 - share) + plain / config.factor * share;
  }
  if (config.scaling == RopeScaling::kYarn) {
    magnitude_ *= 1.0 + 0.1 * std::log(config.factor);
  }
}

void RopeTable::Angles(size_t position, float* to) const {
  const bool neighbours = kind_ == Rope::kPairs;
  float* sines = to + dimensions();
  for (size_t pair = 0; pair < frequencies_.size(); ++pair) {
    const double angle = static_cast<double>(position) * frequencies_[pair];
    const size_t first = neighbours ? 2 * pair : pair;
    const size_t second = neighbours ? first + 1 : first + frequencies_.size();
    to[first] = to[second] = static_cast<float>(std::cos(angle) * magnitude_);
    sines[second] = static_cast<float>(std::sin(angle) * magnitude_);
    sines[first] = -sines[second];
  }
}

RopeTable GlobalRope(const ModelConfig& config, const Weights& weights, int64_t context) {
  std::span<const float> factors = weights.rope_factors;
  if (!weights.rope_factors_long.empty()) {
    factors = context > config.rope.original_context ? weights.rope_factors_long : weights.rope_factors_short;
  }
  return config.architecture->rope == Rope::kNone ? RopeTable()
                                                  : RopeTable(config.architecture->rope, config.rope, factors);
}

RopeTable LocalRope(const ModelConfig& config, const RopeTable& global) {
  if (config.architecture->local_rope_base == 0) {
    return global;
  }
  RopeConfig local;
  local.dimensions = config.rope.dimensions;
  local.base = config.architecture->local_rope_base;
  return RopeTable(config.architecture->rope, local, {});
}

}  // namespace atelier::engine

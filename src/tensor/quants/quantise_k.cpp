#include "tensor/quants/quantise_k.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tensor/quants/fit.h"

namespace atelier::tensor {
namespace {

using Weights = std::span<const float, kSuperBlockWeights>;
using Levels = std::array<uint8_t, kSuperBlockWeights>;

// How much the error of each weight of a sub-block counts: large weights more, for what they are multiplied with adds
// up, small ones not nothing.
struct Importances {
  explicit Importances(std::span<const float> weights) : count(weights.size()) {
    double squares = 0;
    for (const float weight : weights) {
      squares += static_cast<double>(weight) * weight;
    }
    const auto mean = static_cast<float>(std::sqrt(squares / static_cast<double>(count)));
    for (size_t i = 0; i < count; ++i) {
      values[i] = mean + std::fabs(weights[i]);
    }
  }
  std::span<const float> span() const { return std::span(values).first(count); }

  std::array<float, 32> values{};
  size_t count;
};

// Stores a scale in F16 and gives back what is left of it; false if it is beyond F16.
bool Store(float value, StoredHalf& stored, float& rounded) {
  stored.set(value);
  rounded = stored.value();
  return std::isfinite(rounded);
}

float Inverse(float scale) { return scale == 0 ? 0 : 1 / scale; }

// One scale for the scales of all sub-blocks, which have a sign: the largest at the lowest level, as there is one more
// level below zero. `levels` are what the sub-blocks store.
template <size_t count>
bool StoreScales(const std::array<float, count>& scales, LevelRange range, StoredHalf& stored,
                 std::array<int, count>& levels) {
  float peak = 0;
  for (const float scale : scales) {
    peak = std::fabs(scale) > std::fabs(peak) ? scale : peak;
  }
  float common = 0;
  if (!Store(peak / static_cast<float>(range.lowest), stored, common)) {
    return false;
  }
  for (size_t i = 0; i < count; ++i) {
    levels[i] = NearestLevel(scales[i] * Inverse(common), range);
  }
  return true;
}

// The same for what is never negative.
template <size_t count>
bool StorePositive(const std::array<float, count>& scales, int highest, StoredHalf& stored,
                   std::array<uint8_t, count>& levels) {
  float common = 0;
  if (!Store(*std::ranges::max_element(scales) / static_cast<float>(highest), stored, common)) {
    return false;
  }
  for (size_t i = 0; i < count; ++i) {
    levels[i] = static_cast<uint8_t>(NearestLevel(scales[i] * Inverse(common), {0, highest}));
  }
  return true;
}

// Scales and minima of all sub-blocks as stored, and the levels that they give: of Q2_K, Q4_K and Q5_K.
template <size_t subs>
struct Lines {
  std::array<uint8_t, subs> scales{};
  std::array<uint8_t, subs> minima{};
  Levels levels{};

  bool Fit(Weights weights, int highest_level, int highest_scale, StoredHalf& scale, StoredHalf& minimum) {
    constexpr size_t size = kSuperBlockWeights / subs;
    std::array<float, subs> line_scales{};
    std::array<float, subs> line_minima{};
    for (size_t sub = 0; sub < subs; ++sub) {
      const auto part = weights.subspan(sub * size, size);
      const Line line = FitLine(part, Importances(part).span(), highest_level);
      line_scales[sub] = line.scale;
      line_minima[sub] = -line.offset;
    }
    if (!StorePositive(line_scales, highest_scale, scale, scales) ||
        !StorePositive(line_minima, highest_scale, minimum, minima)) {
      return false;
    }
    for (size_t i = 0; i < kSuperBlockWeights; ++i) {
      const float inverse = Inverse(scale.value() * static_cast<float>(scales[i / size]));
      const float offset = minimum.value() * static_cast<float>(minima[i / size]);
      levels[i] = static_cast<uint8_t>(NearestLevel((weights[i] + offset) * inverse, {0, highest_level}));
    }
    return true;
  }
};

// Scales with a sign, and the levels that they give, counted from the lowest: of Q3_K and Q6_K.
struct SignedScales {
  std::array<int, 16> scales{};
  Levels levels{};

  bool Fit(Weights weights, LevelRange level_range, LevelRange scale_range, StoredHalf& scale) {
    std::array<float, 16> fits{};
    for (size_t sub = 0; sub < 16; ++sub) {
      const auto part = weights.subspan(sub * 16, 16);
      fits[sub] = FitScale(part, Importances(part).span(), level_range);
    }
    if (!StoreScales(fits, scale_range, scale, scales)) {
      return false;
    }
    for (size_t i = 0; i < kSuperBlockWeights; ++i) {
      const float inverse = Inverse(scale.value() * static_cast<float>(scales[i / 16]));
      levels[i] = static_cast<uint8_t>(NearestLevel(weights[i] * inverse, level_range) - level_range.lowest);
    }
    return true;
  }
};

// The lower two bits of 256 levels, as Q2_K and Q3_K hold them.
Bytes<64> PackTwoBits(const Levels& levels) {
  Bytes<64> packed{};
  for (size_t i = 0; i < kSuperBlockWeights; ++i) {
    auto& byte = packed[32 * (i / 128) + i % 32];
    byte = static_cast<uint8_t>(byte | ((levels[i] & 3) << (2 * (i / 32 % 4))));
  }
  return packed;
}

// Bit `bit` of 256 levels, as Q3_K and Q5_K hold it.
Bytes<32> PackHighBit(const Levels& levels, int bit) {
  Bytes<32> packed{};
  for (size_t i = 0; i < kSuperBlockWeights; ++i) {
    packed[i % 32] = static_cast<uint8_t>(packed[i % 32] | (((levels[i] >> bit) & 1) << (i / 32)));
  }
  return packed;
}

// The lower four bits of 256 levels; the first `half` of each 2 * `half` in the low halves of as many bytes.
Bytes<128> PackHalves(const Levels& levels, size_t half) {
  Bytes<128> packed{};
  for (size_t i = 0; i < kSuperBlockWeights; ++i) {
    auto& byte = packed[half * (i / (2 * half)) + i % half];
    byte = static_cast<uint8_t>(byte | ((levels[i] & 15) << (i / half % 2 == 0 ? 0 : 4)));
  }
  return packed;
}

Bytes<12> PackScales(const Lines<8>& lines) {
  Bytes<12> packed{};
  for (size_t sub = 0; sub < 8; ++sub) {
    SetScaleMinimum(packed, sub, {lines.scales[sub], lines.minima[sub]});
  }
  return packed;
}

}  // namespace

bool Encode(Weights weights, Q2KBlock& block) {
  Lines<16> lines;
  if (!lines.Fit(weights, 3, 15, block.scale, block.minimum)) {
    return false;
  }
  for (size_t sub = 0; sub < 16; ++sub) {
    block.scales[sub] = static_cast<uint8_t>(lines.scales[sub] | (lines.minima[sub] << 4));
  }
  block.q = PackTwoBits(lines.levels);
  return true;
}

bool Encode(Weights weights, Q3KBlock& block) {
  SignedScales fit;
  if (!fit.Fit(weights, {-4, 3}, {-32, 31}, block.scale)) {
    return false;
  }
  block.scales = {};
  for (size_t sub = 0; sub < 16; ++sub) {
    SetQ3KScale(block.scales, sub, static_cast<uint8_t>(fit.scales[sub] + 32));
  }
  block.q = PackTwoBits(fit.levels);
  block.high = PackHighBit(fit.levels, 2);
  return true;
}

bool Encode(Weights weights, Q4KBlock& block) {
  Lines<8> lines;
  if (!lines.Fit(weights, 15, 63, block.scale, block.minimum)) {
    return false;
  }
  block.scales = PackScales(lines);
  block.q = PackHalves(lines.levels, 32);
  return true;
}

bool Encode(Weights weights, Q5KBlock& block) {
  Lines<8> lines;
  if (!lines.Fit(weights, 31, 63, block.scale, block.minimum)) {
    return false;
  }
  block.scales = PackScales(lines);
  block.q = PackHalves(lines.levels, 32);
  block.high = PackHighBit(lines.levels, 4);
  return true;
}

bool Encode(Weights weights, Q6KBlock& block) {
  SignedScales fit;
  if (!fit.Fit(weights, {-32, 31}, {-128, 127}, block.scale)) {
    return false;
  }
  for (size_t sub = 0; sub < 16; ++sub) {
    block.scales[sub] = static_cast<uint8_t>(static_cast<int8_t>(fit.scales[sub]));
  }
  block.low = PackHalves(fit.levels, 64);
  Levels upper{};
  std::ranges::transform(fit.levels, upper.begin(), [](uint8_t level) { return static_cast<uint8_t>(level >> 4); });
  block.high = PackTwoBits(upper);
  return true;
}

bool Encode(Weights weights, Iq4XsBlock& block) {
  std::array<float, 8> fits{};
  for (size_t sub = 0; sub < 8; ++sub) {
    const auto part = weights.subspan(sub * 32, 32);
    fits[sub] = FitIq4(part, Importances(part).span());
  }
  std::array<int, 8> scales{};
  if (!StoreScales(fits, {-32, 31}, block.scale, scales)) {
    return false;
  }
  block.scales_high = {};
  block.scales_low = {};
  for (size_t sub = 0; sub < 8; ++sub) {
    const int stored = scales[sub] + 32;
    block.scales_low[sub / 2] = static_cast<uint8_t>(block.scales_low[sub / 2] | ((stored & 15) << (4 * (sub % 2))));
    block.scales_high[sub / 4] = static_cast<uint8_t>(block.scales_high[sub / 4] | ((stored >> 4) << (2 * (sub % 4))));
  }
  Levels levels{};
  for (size_t i = 0; i < kSuperBlockWeights; ++i) {
    const float inverse = Inverse(block.scale.value() * static_cast<float>(scales[i / 32]));
    levels[i] = NearestIq4(weights[i] * inverse);
  }
  block.q = PackHalves(levels, 16);
  return true;
}

bool Encode(std::span<const float, kBlockWeights> weights, Iq4NlBlock& block) {
  float scale = 0;
  if (!Store(FitIq4(weights, Importances(weights).span()), block.scale, scale)) {
    return false;
  }
  for (size_t i = 0; i < 16; ++i) {
    const int low = NearestIq4(weights[i] * Inverse(scale));
    const int high = NearestIq4(weights[i + 16] * Inverse(scale));
    block.q[i] = static_cast<uint8_t>(low | (high << 4));
  }
  return true;
}

}  // namespace atelier::tensor

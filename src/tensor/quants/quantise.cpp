#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "tensor/quants/blocks.h"
#include "tensor/quants/formats.h"
#include "tensor/quants/quantise_k.h"
#include "tensor/quants/quants.h"

namespace atelier::tensor {
namespace {

using Weights = std::span<const float, kBlockWeights>;

// The reciprocal of the scale before it is rounded to F16, as ggml has it; nothing where F16 leaves nothing.
float Inverse(float scale, const StoredHalf& stored) { return stored.value() == 0 ? 0 : 1 / scale; }

// A level that is at least 0: half of the way up is up.
int RoundUp(float value, int highest) { return std::min(highest, static_cast<int>(value + 0.5F)); }

// The weight of the largest magnitude becomes the lowest level, `zero` below 0.
float SymmetricScale(Weights weights, int zero) {
  float peak = 0;
  for (const float weight : weights) {
    peak = std::fabs(weight) > std::fabs(peak) ? weight : peak;
  }
  return peak / static_cast<float>(-zero);
}

void PackHalf(int low, int high, uint8_t& byte) { byte = static_cast<uint8_t>((low & 15) | ((high & 15) << 4)); }

void PackFifthBit(int level, size_t i, Bytes<4>& high) {
  high[i / 8] = static_cast<uint8_t>(high[i / 8] | ((level >> 4) << (i % 8)));
}

bool Encode(Weights weights, Q4_0Block& block) {
  const float scale = SymmetricScale(weights, 8);
  block.scale.set(scale);
  const float inverse = Inverse(scale, block.scale);
  for (size_t i = 0; i < 16; ++i) {
    PackHalf(RoundUp(weights[i] * inverse + 8, 15), RoundUp(weights[i + 16] * inverse + 8, 15), block.q[i]);
  }
  return std::isfinite(block.scale.value());
}

bool Encode(Weights weights, Q5_0Block& block) {
  const float scale = SymmetricScale(weights, 16);
  block.scale.set(scale);
  const float inverse = Inverse(scale, block.scale);
  block.high = {};
  for (size_t i = 0; i < 16; ++i) {
    const int low = RoundUp(weights[i] * inverse + 16, 31);
    const int high = RoundUp(weights[i + 16] * inverse + 16, 31);
    PackHalf(low, high, block.q[i]);
    PackFifthBit(low, i, block.high);
    PackFifthBit(high, i + 16, block.high);
  }
  return std::isfinite(block.scale.value());
}

bool Encode(Weights weights, Q4_1Block& block) {
  const auto [least, most] = std::ranges::minmax(weights);
  const float scale = (most - least) / 15;
  block.scale.set(scale);
  block.offset.set(least);
  const float inverse = Inverse(scale, block.scale);
  for (size_t i = 0; i < 16; ++i) {
    PackHalf(RoundUp((weights[i] - least) * inverse, 15), RoundUp((weights[i + 16] - least) * inverse, 15), block.q[i]);
  }
  return std::isfinite(block.scale.value()) && std::isfinite(block.offset.value());
}

bool Encode(Weights weights, Q5_1Block& block) {
  const auto [least, most] = std::ranges::minmax(weights);
  const float scale = (most - least) / 31;
  block.scale.set(scale);
  block.offset.set(least);
  const float inverse = Inverse(scale, block.scale);
  block.high = {};
  for (size_t i = 0; i < 16; ++i) {
    const int low = RoundUp((weights[i] - least) * inverse, 31);
    const int high = RoundUp((weights[i + 16] - least) * inverse, 31);
    PackHalf(low, high, block.q[i]);
    PackFifthBit(low, i, block.high);
    PackFifthBit(high, i + 16, block.high);
  }
  return std::isfinite(block.scale.value()) && std::isfinite(block.offset.value());
}

bool Encode(Weights weights, Q8_0Block& block) {
  float most = 0;
  for (const float weight : weights) {
    most = std::max(most, std::fabs(weight));
  }
  const float scale = most / 127;
  block.scale.set(scale);
  const float inverse = Inverse(scale, block.scale);
  for (size_t i = 0; i < kBlockWeights; ++i) {
    block.q[i] = static_cast<uint8_t>(static_cast<int8_t>(std::round(weights[i] * inverse)));
  }
  return std::isfinite(block.scale.value());
}

// Beyond what any format holds (65504 * 127 * 32), so that no sum or square of weights overflows before a scale is
// found not to fit. False for a NaN.
bool Fits(float weight) { return std::fabs(weight) < 1e9F; }

Error TooLarge(size_t first, size_t count) {
  return InvalidArgument("the weights " + std::to_string(first) + " to " + std::to_string(first + count - 1) +
                         " are not finite or beyond what the format can hold");
}

template <class Block, size_t block_weights>
Status EncodeAll(std::span<const float> weights, std::span<std::byte> bytes) {
  for (size_t first = 0; first < weights.size(); first += block_weights) {
    const auto part = weights.subspan(first).first<block_weights>();
    Block block{};
    if (!std::ranges::all_of(part, Fits) || !Encode(part, block)) {
      return TooLarge(first, block_weights);
    }
    std::memcpy(bytes.data() + first / block_weights * sizeof(Block), &block, sizeof(Block));
  }
  return {};
}

template <uint16_t (*convert)(float)>
Status Convert(std::span<const float> weights, std::span<std::byte> bytes) {
  for (size_t i = 0; i < weights.size(); ++i) {
    const uint16_t bits = convert(weights[i]);
    std::memcpy(bytes.data() + 2 * i, &bits, sizeof(bits));
  }
  return {};
}

Status EncodeType(GgmlType type, std::span<const float> weights, std::span<std::byte> bytes) {
  switch (type) {
    case GgmlType::kF32:
      std::memcpy(bytes.data(), weights.data(), bytes.size());
      return {};
    case GgmlType::kF16:
      return Convert<FloatToHalf>(weights, bytes);
    case GgmlType::kBF16:
      return Convert<FloatToBfloat16>(weights, bytes);
    case GgmlType::kQ4_0:
      return EncodeAll<Q4_0Block, kBlockWeights>(weights, bytes);
    case GgmlType::kQ4_1:
      return EncodeAll<Q4_1Block, kBlockWeights>(weights, bytes);
    case GgmlType::kQ5_0:
      return EncodeAll<Q5_0Block, kBlockWeights>(weights, bytes);
    case GgmlType::kQ5_1:
      return EncodeAll<Q5_1Block, kBlockWeights>(weights, bytes);
    case GgmlType::kQ8_0:
      return EncodeAll<Q8_0Block, kBlockWeights>(weights, bytes);
    case GgmlType::kQ2_K:
      return EncodeAll<Q2KBlock, kSuperBlockWeights>(weights, bytes);
    case GgmlType::kQ3_K:
      return EncodeAll<Q3KBlock, kSuperBlockWeights>(weights, bytes);
    case GgmlType::kQ4_K:
      return EncodeAll<Q4KBlock, kSuperBlockWeights>(weights, bytes);
    case GgmlType::kQ5_K:
      return EncodeAll<Q5KBlock, kSuperBlockWeights>(weights, bytes);
    case GgmlType::kQ6_K:
      return EncodeAll<Q6KBlock, kSuperBlockWeights>(weights, bytes);
    case GgmlType::kIQ4_NL:
      return EncodeAll<Iq4NlBlock, kBlockWeights>(weights, bytes);
    case GgmlType::kIQ4_XS:
      return EncodeAll<Iq4XsBlock, kSuperBlockWeights>(weights, bytes);
  }
  return {};
}

}  // namespace

Status Quantise(GgmlType type, std::span<const float> weights, std::span<std::byte> bytes) {
  const BlockFormat& format = FormatOf(type);
  const auto needed = BytesOf(format, weights.size());
  if (!needed.has_value() || *needed != bytes.size()) {
    return InvalidArgument(std::to_string(weights.size()) + " weights are not " + std::to_string(bytes.size()) +
                           " bytes of " + std::string(format.name));
  }
  return weights.empty() ? Status() : EncodeType(type, weights, bytes);
}

}  // namespace atelier::tensor

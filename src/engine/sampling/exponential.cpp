#include "engine/sampling/exponential.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/sampling/vectors.h"

namespace atelier::engine {
namespace {

constexpr size_t kBlock = 64;  // loops of a fixed length become vector instructions
constexpr float kLeast = -87;
constexpr float kRound = 12582912;  // 1.5 * 2^23: adding it rounds to an integer

using Doubles [[gnu::vector_size(4 * sizeof(double))]] = double;

// Choices are masks of bits: the compiler would make branches of them, and no vector instructions.
ATELIER_LOOP float Exponential(float x) {
  const uint32_t inside = 0U - static_cast<uint32_t>(x > kLeast);
  const auto clamped =
      std::bit_cast<float>((std::bit_cast<uint32_t>(x) & inside) | (std::bit_cast<uint32_t>(kLeast) & ~inside));
  const float shifted = clamped * 1.44269504F + kRound;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRound);
  const float whole = shifted - kRound;
  const float rest = (clamped - whole * 0.693359375F) - whole * -2.12194440e-4F;
  float series = 1.9875691500e-4F;
  series = series * rest + 1.3981999507e-3F;
  series = series * rest + 8.3334519073e-3F;
  series = series * rest + 4.1665795894e-2F;
  series = series * rest + 1.6666665459e-1F;
  series = series * rest + 5.0000001201e-1F;
  const float fraction = series * rest * rest + rest + 1;
  const float power = std::bit_cast<float>(static_cast<uint32_t>(exponent + 127) << 23U);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(fraction * power) & inside);
}

// In place; returns the sum.
ATELIER_LOOP double OfBlock(std::array<float, kBlock>& block, float largest, float scale, size_t count) {
  for (float& value : block) {
    value = Exponential((value - largest) * scale);
  }
  for (size_t i = count; i < kBlock; ++i) {
    block[i] = 0;
  }
  Doubles sums{};  // four chains of additions that do not wait for each other
  for (size_t i = 0; i < kBlock; i += 4) {
    sums += Doubles{block[i], block[i + 1], block[i + 2], block[i + 3]};
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

ATELIER_LOOP double Loop(std::span<const float> logits, float largest, float scale, std::span<float> weights) {
  double total = 0;
  std::array<float, kBlock> block;
  size_t start = 0;
  for (; start + kBlock <= logits.size(); start += kBlock) {
    std::memcpy(block.data(), logits.data() + start, sizeof(block));
    total += OfBlock(block, largest, scale, kBlock);
    if (!weights.empty()) {
      std::memcpy(weights.data() + start, block.data(), sizeof(block));
    }
  }
  if (const auto rest = logits.subspan(start); !rest.empty()) {
    block.fill(largest);
    std::ranges::copy(rest, block.begin());
    total += OfBlock(block, largest, scale, rest.size());
    if (!weights.empty()) {
      std::copy_n(block.begin(), rest.size(), weights.subspan(start).begin());
    }
  }
  return total;
}

ATELIER_WIDE double Wide(std::span<const float> logits, float largest, float scale, std::span<float> weights) {
  return Loop(logits, largest, scale, weights);
}

}  // namespace

double Exponentials(std::span<const float> logits, float largest, float scale, std::span<float> weights) {
  return HasWide() ? Wide(logits, largest, scale, weights) : Loop(logits, largest, scale, weights);
}

}  // namespace atelier::engine

#include "engine/sampling/exponential.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/sampling/vectors.h"

namespace atelier::engine {
namespace {

constexpr size_t kBlock = 64;  // loops of a fixed length become vector instructions
constexpr float kLeast = -87;
constexpr float kRound = 12582912;  // 1.5 * 2^23: adding it rounds to an integer

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

ATELIER_LOOP double Loop(std::span<const float> logits, float largest, float scale, std::span<float> weights) {
  double total = 0;
  std::array<float, kBlock> block;
  for (size_t start = 0; start < logits.size(); start += kBlock) {
    const size_t count = std::min(kBlock, logits.size() - start);
    if (count < kBlock) {
      block.fill(largest);
    }
    std::copy_n(logits.data() + start, count, block.data());
    for (float& value : block) {
      value = Exponential((value - largest) * scale);
    }
    if (!weights.empty()) {
      std::copy_n(block.data(), count, weights.data() + start);
    }
    std::fill(block.begin() + static_cast<std::ptrdiff_t>(count), block.end(), 0.0F);
    std::array<double, 4> sums{};  // four chains of additions that do not wait for each other
    for (size_t i = 0; i < kBlock; i += sums.size()) {
      for (size_t lane = 0; lane < sums.size(); ++lane) {
        sums[lane] += block[i + lane];
      }
    }
    total += (sums[0] + sums[1]) + (sums[2] + sums[3]);
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

// The exponentials of all of a vocabulary's logits. Included like float_kernels_on.h.
//
// Plain arithmetic in a fixed order, of which the compiler makes vector instructions where loops have a fixed length:
// nothing is fused, so that every instruction set gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tensor/kernels/float_kernels.h"

namespace atelier::tensor {

// V: only so that no two instruction sets share code.
template <class V>
struct LogitsOn {
  static constexpr size_t kBlock = 64;
  static constexpr float kLeast = -87;
  static constexpr float kRound = 12582912;  // 1.5 * 2^23: adding it rounds to an integer
  using Doubles [[gnu::vector_size(4 * sizeof(double))]] = double;

  // Reduction by ln 2 as in exponentials_on.h, and the polynomial of Cephes' expf. Choices are masks of bits: the
  // compiler would make branches of them, and no vector instructions.
  static float Exp(float x) {
    const uint32_t inside = 0U - static_cast<uint32_t>(x > kLeast);
    const auto clamped = __builtin_bit_cast(
        float, (__builtin_bit_cast(uint32_t, x) & inside) | (__builtin_bit_cast(uint32_t, kLeast) & ~inside));
    const float shifted = clamped * 1.44269504F + kRound;
    const int32_t exponent = __builtin_bit_cast(int32_t, shifted) - __builtin_bit_cast(int32_t, kRound);
    const float whole = shifted - kRound;
    const float rest = (clamped - whole * 0.693359375F) - whole * -2.12194440e-4F;
    float series = 1.9875691500e-4F;
    series = series * rest + 1.3981999507e-3F;
    series = series * rest + 8.3334519073e-3F;
    series = series * rest + 4.1665795894e-2F;
    series = series * rest + 1.6666665459e-1F;
    series = series * rest + 5.0000001201e-1F;
    const float fraction = series * rest * rest + rest + 1;
    const auto power = __builtin_bit_cast(float, static_cast<uint32_t>(exponent + 127) << 23U);
    return __builtin_bit_cast(float, __builtin_bit_cast(uint32_t, fraction * power) & inside);
  }

  // Of a block's numbers; returns the sum of the first `count` of them.
  [[gnu::always_inline]] static double OfBlock(const ExponentialRow& row, const float* from, float* to, size_t count) {
    float block[kBlock];
    for (size_t i = 0; i < kBlock; ++i) {
      block[i] = Exp((from[i] - row.largest) * row.scale);
    }
    for (size_t i = count; i < kBlock; ++i) {
      block[i] = 0;
    }
    if (to != nullptr) {
      std::memcpy(to, block, count * sizeof(float));
    }
    Doubles sums{};  // four chains of additions that do not wait for each other
    for (size_t i = 0; i < kBlock; i += 4) {
      sums += Doubles{block[i], block[i + 1], block[i + 2], block[i + 3]};
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }

  static double Exponentials(const ExponentialRow& row) {
    double total = 0;
    size_t start = 0;
    for (; start + kBlock <= row.count; start += kBlock) {
      total += OfBlock(row, row.from + start, row.to == nullptr ? nullptr : row.to + start, kBlock);
    }
    if (start == row.count) {
      return total;
    }
    float rest[kBlock];
    for (size_t i = 0; i < kBlock; ++i) {
      rest[i] = start + i < row.count ? row.from[start + i] : row.largest;
    }
    return total + OfBlock(row, rest, row.to == nullptr ? nullptr : row.to + start, row.count - start);
  }
};

}  // namespace atelier::tensor

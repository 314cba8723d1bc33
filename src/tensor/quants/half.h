// Conversions between float and the two 16-bit formats: IEEE 754 binary16 (F16) and bfloat16 (BF16). Exact one way;
// rounded to nearest, ties to even, the other. Independent of the processor's rounding and flush-to-zero modes but for
// the conversion of an integer to float. Written without branches that keep a compiler from vectorising.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace atelier::tensor {

inline float HalfToFloat(uint16_t half) {
  const uint32_t magnitude = half & 0x7FFFU;
  const uint32_t sign = (half & 0x8000U) << 16;
  // Exponent bias 15 to 127; all ones stays all ones.
  const uint32_t normal = (magnitude << 13) + ((magnitude >= 0x7C00U ? 255U - 31U : 127U - 15U) << 23);
  const auto subnormal = std::bit_cast<uint32_t>(static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24F);
  return std::bit_cast<float>(sign | (magnitude < 0x0400U ? subnormal : normal));
}

// Beyond 65504 and its rounding: infinity. A NaN stays one, made quiet.
inline uint16_t FloatToHalf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000U);
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) {
    return static_cast<uint16_t>(sign | 0x7E00U | ((magnitude >> 13) & 0x03FFU));
  }
  if (magnitude >= 0x477FF000U) {  // 65520, halfway to the next: ties to even, which is infinity
    return sign | 0x7C00U;
  }
  if (magnitude < 0x38800000U) {  // below 2^-14: units of 2^-24
    const uint32_t exponent = magnitude >> 23;
    if (exponent < 102) {
      return sign;  // below 2^-25
    }
    const uint32_t mantissa = (magnitude & 0x007FFFFFU) | 0x00800000U;
    const uint32_t shift = 126 - exponent;  // 14 to 24
    const uint32_t kept = mantissa >> shift;
    const uint32_t lost = mantissa & ((1U << shift) - 1);
    const uint32_t middle = 1U << (shift - 1);
    return static_cast<uint16_t>(sign | (kept + (lost > middle || (lost == middle && (kept & 1U) != 0) ? 1U : 0U)));
  }
  const uint32_t rebiased = magnitude - (112U << 23);
  return static_cast<uint16_t>(sign | ((rebiased + 0x0FFFU + ((rebiased >> 13) & 1U)) >> 13));
}

inline float Bfloat16ToFloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

// A NaN stays one, made quiet.
inline uint16_t FloatToBfloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
    return static_cast<uint16_t>((bits >> 16) | 0x0040U);
  }
  return static_cast<uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
}

// A little-endian F16 at any address.
struct StoredHalf {
  std::array<uint8_t, 2> bytes;

  float value() const { return HalfToFloat(static_cast<uint16_t>(bytes[0] | (bytes[1] << 8))); }
  void set(float value) {
    const uint16_t half = FloatToHalf(value);
    bytes = {static_cast<uint8_t>(half & 0xFF), static_cast<uint8_t>(half >> 8)};
  }
};
// A little-endian BF16 at any address.
struct StoredBfloat16 {
  std::array<uint8_t, 2> bytes;

  float value() const { return Bfloat16ToFloat(static_cast<uint16_t>(bytes[0] | (bytes[1] << 8))); }
  void set(float value) {
    const uint16_t bits = FloatToBfloat16(value);
    bytes = {static_cast<uint8_t>(bits & 0xFF), static_cast<uint8_t>(bits >> 8)};
  }
};

}  // namespace atelier::tensor

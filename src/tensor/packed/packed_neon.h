// The vector type of the integer kernels in NEON registers. Only for AArch64; each source has a tag of its own, so that
// what is compiled with one source's flags is not shared with another.
#pragma once

#include <arm_neon.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "tensor/packed/activations.h"
#include "tensor/quants/blocks.h"

namespace atelier::tensor {

template <class Source>
struct PackedNeon {
  static constexpr size_t kRows = 8;
  static constexpr size_t kInputs = 2;  // that registers have room for beside two panels
  static constexpr bool kWideSums = false;
  static constexpr bool kRaises = false;
  static constexpr bool kTakesSigned = true;
  template <class T>
  struct Two {  // the first four rows, and the last
    T first;
    T last;
  };
  using Bytes = Two<uint8x16_t>;  // four columns of each row
  using Quads = int8x16_t;        // the same four bytes in all rows
  struct Partial {                // sums of 16 bits, four a row
    Two<int16x8_t> first;
    Two<int16x8_t> last;
  };
  using Ints = Two<int32x4_t>;
  using Floats = Two<float32x4_t>;

  static void Prefetch(const uint8_t* at) { __builtin_prefetch(at); }
  static Bytes LoadBytes(const uint8_t* from) { return {vld1q_u8(from), vld1q_u8(from + 16)}; }
  template <bool kHigh>
  static Bytes HalfBytes(Bytes bytes) {
    if constexpr (kHigh) {
      return {vshrq_n_u8(bytes.first, 4), vshrq_n_u8(bytes.last, 4)};
    } else {
      return And(bytes, 15);
    }
  }
  // The bits of `mask` at `from`, moved to 4.
  template <size_t kFrom, unsigned kMask>
  static Bytes Bits(Bytes bytes) {
    if constexpr (kFrom < 4) {
      bytes = {vshlq_n_u8(bytes.first, 4 - kFrom), vshlq_n_u8(bytes.last, 4 - kFrom)};
    } else if constexpr (kFrom > 4) {
      bytes = {vshrq_n_u8(bytes.first, kFrom - 4), vshrq_n_u8(bytes.last, kFrom - 4)};
    }
    return And(bytes, kMask << 4);
  }
  static Bytes Or(Bytes a, Bytes b) { return {vorrq_u8(a.first, b.first), vorrq_u8(a.last, b.last)}; }
  static Bytes Iq4Values(Bytes levels) {
    const uint8x16_t table = vreinterpretq_u8_s8(vld1q_s8(kIq4Values.data()));
    return {vqtbl1q_u8(table, levels.first), vqtbl1q_u8(table, levels.last)};
  }
  static Quads Quad(const int8_t* from) {
    int32_t four = 0;
    std::memcpy(&four, from, sizeof(four));
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
  }
  static Partial Dot(Bytes levels, Quads quad) {
    const int8x16_t first = vreinterpretq_s8_u8(levels.first);
    const int8x16_t last = vreinterpretq_s8_u8(levels.last);
    const int8x8_t half = vget_low_s8(quad);
    return {{vmull_s8(vget_low_s8(first), half), vmull_high_s8(first, quad)},
            {vmull_s8(vget_low_s8(last), half), vmull_high_s8(last, quad)}};
  }
  static Partial AddDot(Partial sum, Bytes levels, Quads quad) {
    const int8x16_t first = vreinterpretq_s8_u8(levels.first);
    const int8x16_t last = vreinterpretq_s8_u8(levels.last);
    const int8x8_t half = vget_low_s8(quad);
    return {{vmlal_s8(sum.first.first, vget_low_s8(first), half), vmlal_high_s8(sum.first.last, first, quad)},
            {vmlal_s8(sum.last.first, vget_low_s8(last), half), vmlal_high_s8(sum.last.last, last, quad)}};
  }
  static Ints Total(Partial partial) { return {TotalOf(partial.first), TotalOf(partial.last)}; }
  static Ints AddInts(Ints a, Ints b) { return {vaddq_s32(a.first, b.first), vaddq_s32(a.last, b.last)}; }
  // sum times the power of two, in all rows
  template <int32_t kPower>
  static Ints Times(int32_t sum) {
    return {vdupq_n_s32(kPower * sum), vdupq_n_s32(kPower * sum)};
  }
  static Ints SubtractInts(Ints a, Ints b) { return {vsubq_s32(a.first, b.first), vsubq_s32(a.last, b.last)}; }
  static Floats ToFloats(Ints ints) { return {vcvtq_f32_s32(ints.first), vcvtq_f32_s32(ints.last)}; }
  static Floats LoadHalves(const uint8_t* from) {
    const float16x8_t halves = vreinterpretq_f16_u8(vld1q_u8(from));
    return {vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves)};
  }
  static Floats SignedBytes(const uint8_t* from) {
    const int16x8_t words = vmovl_s8(vreinterpret_s8_u8(vld1_u8(from)));
    return ToFloats({vmovl_s16(vget_low_s16(words)), vmovl_high_s16(words)});
  }
  static Floats UnsignedBytes(const uint8_t* from) {
    const int16x8_t words = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(from)));
    return ToFloats({vmovl_s16(vget_low_s16(words)), vmovl_high_s16(words)});
  }
  static Floats Broadcast(float value) { return {vdupq_n_f32(value), vdupq_n_f32(value)}; }
  static Floats Multiply(Floats a, Floats b) { return {vmulq_f32(a.first, b.first), vmulq_f32(a.last, b.last)}; }
  static Floats MulAdd(Floats a, Floats b, Floats c) {
    return {vfmaq_f32(c.first, a.first, b.first), vfmaq_f32(c.last, a.last, b.last)};
  }
  static void Store(Floats floats, float* to) {
    vst1q_f32(to, floats.first);
    vst1q_f32(to + 4, floats.last);
  }

  static void Round(const float* values, size_t cells, ActivationBlock* to) {
    for (size_t cell = 0; cell < cells; ++cell, values += kCellColumns) {
      RoundCell(values, to[cell]);
    }
  }

 private:
  static Bytes And(Bytes bytes, unsigned mask) {
    const uint8x16_t all = vdupq_n_u8(static_cast<uint8_t>(mask));
    return {vandq_u8(bytes.first, all), vandq_u8(bytes.last, all)};
  }
  static int32x4_t TotalOf(Two<int16x8_t> sums) { return vpaddq_s32(vpaddlq_s16(sums.first), vpaddlq_s16(sums.last)); }

  static void RoundCell(const float* values, ActivationBlock& to) {
    float32x4_t value[8];
    float32x4_t magnitude = vdupq_n_f32(0);
    float32x4_t zero = vdupq_n_f32(0);  // stays zero as long as all is finite
    for (size_t i = 0; i < 8; ++i) {
      value[i] = vld1q_f32(values + 4 * i);
      magnitude = vmaxq_f32(magnitude, vabsq_f32(value[i]));
      zero = vfmaq_f32(zero, value[i], vdupq_n_f32(0));
    }
    const float nothing = vaddvq_f32(zero);
    const bool finite = !std::isnan(nothing);
    to.scale = finite ? vmaxvq_f32(magnitude) / 127.0F : std::numeric_limits<float>::quiet_NaN();
    const float inverse = finite && to.scale > 0 ? 1.0F / to.scale : 0.0F;
    const float factor = std::isfinite(inverse) ? inverse : 0.0F;
    int halves[2];
    for (size_t half = 0; half < 2; ++half) {
      int16x8_t level[2];
      for (size_t i = 0; i < 2; ++i) {
        const float32x4_t* from = value + 4 * half + 2 * i;
        level[i] = vcombine_s16(LevelsOf(from[0], factor, finite), LevelsOf(from[1], factor, finite));
      }
      halves[half] = vaddvq_s16(vaddq_s16(level[0], level[1]));
      vst1q_s8(to.level + 16 * half, vcombine_s8(vmovn_s16(level[0]), vmovn_s16(level[1])));
    }
    const int sums[] = {halves[0] + halves[1], halves[0], halves[1]};
    for (size_t i = 0; i < 3; ++i) {
      to.level_sums[i] = sums[i];
      to.sums[i] = to.scale * static_cast<float>(sums[i]);
    }
  }
  static int16x4_t LevelsOf(float32x4_t values, float factor, bool finite) {
    return finite ? vmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(values, factor))) : vdup_n_s16(0);
  }
};

#ifdef __ARM_FEATURE_DOTPROD
// The same with products of four pairs at once, added to 32 bits.
template <class Source>
struct PackedNeonDot : PackedNeon<Source> {
  static constexpr size_t kInputs = 4;
  static constexpr bool kWideSums = true;
  using typename PackedNeon<Source>::Bytes;
  using typename PackedNeon<Source>::Ints;
  using typename PackedNeon<Source>::Quads;
  using Partial = Ints;

  static Partial Dot(Bytes levels, Quads quad) { return AddDot({vdupq_n_s32(0), vdupq_n_s32(0)}, levels, quad); }
  static Partial AddDot(Partial sum, Bytes levels, Quads quad) {
    return {vdotq_s32(sum.first, vreinterpretq_s8_u8(levels.first), quad),
            vdotq_s32(sum.last, vreinterpretq_s8_u8(levels.last), quad)};
  }
  static Ints Total(Partial partial) { return partial; }
};
#endif

}  // namespace atelier::tensor

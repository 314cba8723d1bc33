// Eight floats in two NEON registers, with fused multiply-add. Only for AArch64, whose every processor has it.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tensor/quants/half.h"

namespace atelier::tensor {

struct VecNeon {
  static constexpr size_t kLanes = 8;
  float32x4_t low;
  float32x4_t high;

  static VecNeon Zero() { return Broadcast(0); }
  static VecNeon Broadcast(float value) { return {vdupq_n_f32(value), vdupq_n_f32(value)}; }
  static VecNeon Load(const float* from) { return {vld1q_f32(from), vld1q_f32(from + 4)}; }
  static VecNeon Load(const StoredHalf* from) {
    const float16x8_t halves = vreinterpretq_f16_u16(Load16(from));
    return {vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves)};
  }
  static VecNeon Load(const StoredBfloat16* from) {
    const uint16x8_t bits = Load16(from);
    return {vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(bits), 16)),
            vreinterpretq_f32_u32(vshll_high_n_u16(bits, 16))};
  }
  static VecNeon Load(const int8_t* from) {
    const int16x8_t words = vmovl_s8(vld1_s8(from));
    return {vcvtq_f32_s32(vmovl_s16(vget_low_s16(words))), vcvtq_f32_s32(vmovl_high_s16(words))};
  }
  // A column of a panel of 16-bit weights (halves/half_panels.h): its first and its last rows.
  static void LoadPair(const StoredHalf* from, VecNeon& first, VecNeon& last) {
    first = Load(from);
    last = Load(from + kLanes);
  }
  static void LoadPair(const StoredBfloat16* from, VecNeon& first, VecNeon& last) {
    const uint32x4_t words[2] = {vreinterpretq_u32_u16(Load16(from)), vreinterpretq_u32_u16(Load16(from + kLanes))};
    const uint32x4_t upper = vdupq_n_u32(0xFFFF0000);
    first = {vreinterpretq_f32_u32(vshlq_n_u32(words[0], 16)), vreinterpretq_f32_u32(vshlq_n_u32(words[1], 16))};
    last = {vreinterpretq_f32_u32(vandq_u32(words[0], upper)), vreinterpretq_f32_u32(vandq_u32(words[1], upper))};
  }
  static void Prefetch(const void* at) { __builtin_prefetch(at); }
  // The first `count` floats, zeros behind them; reads nothing else.
  template <class W>
  static VecNeon LoadPart(const W* from, size_t count) {
    W all[kLanes] = {};
    std::memcpy(all, from, count * sizeof(W));
    return Load(all);
  }
  void Store(float* to) const {
    vst1q_f32(to, low);
    vst1q_f32(to + 4, high);
  }
  void StorePart(float* to, size_t count) const {
    float all[kLanes];
    Store(all);
    std::memcpy(to, all, count * sizeof(float));
  }
  void Store(StoredHalf* to) const { Store16(vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(low), high)), to); }
  void Store(StoredBfloat16* to) const {
    Store16(vshrn_high_n_u32(vshrn_n_u32(Bfloat16(low), 16), Bfloat16(high), 16), to);
  }
  static VecNeon Add(const VecNeon& a, const VecNeon& b) {
    return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)};
  }
  // a * b + c
  static VecNeon MulAdd(const VecNeon& a, const VecNeon& b, const VecNeon& c) {
    return {vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)};
  }
  static VecNeon Multiply(const VecNeon& a, const VecNeon& b) {
    return {vmulq_f32(a.low, b.low), vmulq_f32(a.high, b.high)};
  }
  static VecNeon Divide(const VecNeon& a, const VecNeon& b) {
    return {vdivq_f32(a.low, b.low), vdivq_f32(a.high, b.high)};
  }
  // NaN in `a` stays.
  static VecNeon Min(const VecNeon& a, const VecNeon& b) {
    return {vbslq_f32(vcltq_f32(b.low, a.low), b.low, a.low), vbslq_f32(vcltq_f32(b.high, a.high), b.high, a.high)};
  }
  static VecNeon Max(const VecNeon& a, const VecNeon& b) {
    return {vbslq_f32(vcgtq_f32(b.low, a.low), b.low, a.low), vbslq_f32(vcgtq_f32(b.high, a.high), b.high, a.high)};
  }
  // To the nearest integer, ties to even.
  static VecNeon Round(const VecNeon& a) { return {vrndnq_f32(a.low), vrndnq_f32(a.high)}; }
  // value * 2^exponent, exponents being integers from -126 to 127.
  static VecNeon TimesPowerOfTwo(const VecNeon& value, const VecNeon& exponent) {
    return {vmulq_f32(value.low, PowerOfTwo(exponent.low)), vmulq_f32(value.high, PowerOfTwo(exponent.high))};
  }
  static VecNeon SwapNeighbours(const VecNeon& a) { return {vrev64q_f32(a.low), vrev64q_f32(a.high)}; }
  // Halves onto halves, in the scalar reference's order.
  float Sum() const {
    const float32x4_t four = vaddq_f32(low, high);
    return vpadds_f32(vadd_f32(vget_low_f32(four), vget_high_f32(four)));
  }

 private:
  static uint16x8_t Load16(const void* from) {
    return vreinterpretq_u16_u8(vld1q_u8(static_cast<const uint8_t*>(from)));
  }
  static void Store16(uint16x8_t words, void* to) { vst1q_u8(static_cast<uint8_t*>(to), vreinterpretq_u8_u16(words)); }
  // Rounded in the upper halves.
  static uint32x4_t Bfloat16(float32x4_t value) {
    const uint32x4_t bits = vreinterpretq_u32_f32(value);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t near = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7FFF)));
    return vbslq_u32(vceqq_f32(value, value), near, vorrq_u32(bits, vdupq_n_u32(0x00400000)));
  }
  static float32x4_t PowerOfTwo(float32x4_t exponent) {
    const int32x4_t biased = vaddq_s32(vcvtnq_s32_f32(exponent), vdupq_n_s32(127));
    return vreinterpretq_f32_s32(vshlq_n_s32(biased, 23));
  }
};

}  // namespace atelier::tensor

// Eight floats in an AVX register, with fused multiply-add. Only for sources compiled with -mavx2 -mfma -mf16c.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tensor/quants/half.h"

namespace atelier::tensor {

struct VecAvx2 {
  static constexpr size_t kLanes = 8;
  __m256 value;

  static VecAvx2 Zero() { return {_mm256_setzero_ps()}; }
  static VecAvx2 Broadcast(float value) { return {_mm256_set1_ps(value)}; }
  static VecAvx2 Load(const float* from) { return {_mm256_loadu_ps(from)}; }
  static VecAvx2 Load(const StoredHalf* from) { return {_mm256_cvtph_ps(Load16(from))}; }
  static VecAvx2 Load(const StoredBfloat16* from) {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(Load16(from)), 16))};
  }
  // A column of a panel of 16-bit weights (halves/half_panels.h): its first and its last rows.
  static void LoadPair(const StoredHalf* from, VecAvx2& first, VecAvx2& last) {
    first = Load(from);
    last = Load(from + kLanes);
  }
  static void LoadPair(const StoredBfloat16* from, VecAvx2& first, VecAvx2& last) {
    const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    first.value = _mm256_castsi256_ps(_mm256_slli_epi32(words, 16));
    last.value = _mm256_castsi256_ps(_mm256_and_si256(words, _mm256_set1_epi32(static_cast<int32_t>(0xFFFF0000))));
  }
  static void Prefetch(const void* at) { _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T0); }
  static VecAvx2 Load(const int8_t* from) {
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))))};
  }
  // The first `count` floats, zeros behind them; reads nothing else.
  static VecAvx2 LoadPart(const float* from, size_t count) { return {_mm256_maskload_ps(from, Mask(count))}; }
  template <class W>
  static VecAvx2 LoadPart(const W* from, size_t count) {
    W all[kLanes] = {};
    std::memcpy(all, from, count * sizeof(W));
    return Load(all);
  }
  void Store(float* to) const { _mm256_storeu_ps(to, value); }
  void StorePart(float* to, size_t count) const { _mm256_maskstore_ps(to, Mask(count), value); }
  void Store(StoredHalf* to) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
  }
  void Store(StoredBfloat16* to) const {
    const __m256i bits = _mm256_castps_si256(value);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i near = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x00400000));
    const __m256 nan = _mm256_cmp_ps(value, value, _CMP_UNORD_Q);
    const __m256i rounded = _mm256_srli_epi32(_mm256_blendv_epi8(near, quiet, _mm256_castps_si256(nan)), 16);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to),
                     _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1)));
  }
  static VecAvx2 Add(const VecAvx2& a, const VecAvx2& b) { return {_mm256_add_ps(a.value, b.value)}; }
  // a * b + c
  static VecAvx2 MulAdd(const VecAvx2& a, const VecAvx2& b, const VecAvx2& c) {
    return {_mm256_fmadd_ps(a.value, b.value, c.value)};
  }
  static VecAvx2 Multiply(const VecAvx2& a, const VecAvx2& b) { return {_mm256_mul_ps(a.value, b.value)}; }
  static VecAvx2 Divide(const VecAvx2& a, const VecAvx2& b) { return {_mm256_div_ps(a.value, b.value)}; }
  static VecAvx2 SquareRoot(const VecAvx2& a) { return {_mm256_sqrt_ps(a.value)}; }
  // NaN in `a` stays.
  static VecAvx2 Min(const VecAvx2& a, const VecAvx2& b) { return {_mm256_min_ps(b.value, a.value)}; }
  static VecAvx2 Max(const VecAvx2& a, const VecAvx2& b) { return {_mm256_max_ps(b.value, a.value)}; }
  // To the nearest integer, ties to even.
  static VecAvx2 Round(const VecAvx2& a) {
    return {_mm256_round_ps(a.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  // value * 2^exponent, exponents being integers from -126 to 127.
  static VecAvx2 TimesPowerOfTwo(const VecAvx2& value, const VecAvx2& exponent) {
    const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(exponent.value), _mm256_set1_epi32(127));
    return {_mm256_mul_ps(value.value, _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)))};
  }
  static VecAvx2 SwapNeighbours(const VecAvx2& a) { return {_mm256_permute_ps(a.value, 0xB1)}; }
  // Halves onto halves, in the scalar reference's order.
  float Sum() const {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }

 private:
  static __m256i Mask(size_t count) {
    alignas(32) static constexpr int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + kLanes - count));
  }
  static __m128i Load16(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
};

}  // namespace atelier::tensor

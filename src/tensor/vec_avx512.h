// Sixteen floats in an AVX-512 register. Only for sources compiled with -mavx512f -mavx512bw -mavx512vl -mavx512dq.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "tensor/quants/half.h"

namespace atelier::tensor {

struct VecAvx512 {
  static constexpr size_t kLanes = 16;
  __m512 value;

  static VecAvx512 Zero() { return {_mm512_setzero_ps()}; }
  static VecAvx512 Broadcast(float value) { return {_mm512_set1_ps(value)}; }
  template <class W>
  static VecAvx512 Load(const W* from) {
    return LoadMasked(from, 0xFFFF);
  }
  // The first `count` floats, zeros behind them; reads nothing else.
  template <class W>
  static VecAvx512 LoadPart(const W* from, size_t count) {
    return LoadMasked(from, Mask(count));
  }
  // A column of a panel of 16-bit weights (halves/half_panels.h): its first and its last rows.
  static void LoadPair(const StoredHalf* from, VecAvx512& first, VecAvx512& last) {
    first = Load(from);
    last = Load(from + kLanes);
  }
  static void LoadPair(const StoredBfloat16* from, VecAvx512& first, VecAvx512& last) {
    const __m512i words = _mm512_loadu_si512(from);
    first.value = _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
    last.value = _mm512_castsi512_ps(_mm512_and_si512(words, _mm512_set1_epi32(static_cast<int32_t>(0xFFFF0000))));
  }
  static void Prefetch(const void* at) { _mm_prefetch(static_cast<const char*>(at), _MM_HINT_T0); }
  void Store(float* to) const { _mm512_storeu_ps(to, value); }
  void Store(StoredHalf* to) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT));
  }
  void Store(StoredBfloat16* to) const {
    const __m512i bits = _mm512_castps_si512(value);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i near = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
    const __m512i rounded = _mm512_mask_or_epi32(near, nan, bits, _mm512_set1_epi32(0x00400000));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
  }
  void StorePart(float* to, size_t count) const { _mm512_mask_storeu_ps(to, Mask(count), value); }
  // a * b + c
  static VecAvx512 MulAdd(const VecAvx512& a, const VecAvx512& b, const VecAvx512& c) {
    return {_mm512_fmadd_ps(a.value, b.value, c.value)};
  }
  static VecAvx512 Add(const VecAvx512& a, const VecAvx512& b) { return {_mm512_add_ps(a.value, b.value)}; }
  static VecAvx512 SwapNeighbours(const VecAvx512& a) { return {_mm512_permute_ps(a.value, 0xB1)}; }
  static VecAvx512 Multiply(const VecAvx512& a, const VecAvx512& b) { return {_mm512_mul_ps(a.value, b.value)}; }
  static VecAvx512 Divide(const VecAvx512& a, const VecAvx512& b) { return {_mm512_div_ps(a.value, b.value)}; }
  static VecAvx512 SquareRoot(const VecAvx512& a) { return {_mm512_sqrt_ps(a.value)}; }
  // NaN in `a` stays.
  static VecAvx512 Min(const VecAvx512& a, const VecAvx512& b) { return {_mm512_min_ps(b.value, a.value)}; }
  static VecAvx512 Max(const VecAvx512& a, const VecAvx512& b) { return {_mm512_max_ps(b.value, a.value)}; }
  // To the nearest integer, ties to even.
  static VecAvx512 Round(const VecAvx512& a) {
    return {_mm512_roundscale_ps(a.value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  // value * 2^exponent, exponents being integers from -126 to 127.
  static VecAvx512 TimesPowerOfTwo(const VecAvx512& value, const VecAvx512& exponent) {
    const __m512i biased = _mm512_add_epi32(_mm512_cvtps_epi32(exponent.value), _mm512_set1_epi32(127));
    return {_mm512_mul_ps(value.value, _mm512_castsi512_ps(_mm512_slli_epi32(biased, 23)))};
  }
  // Halves onto halves, again and again.
  float Sum() const {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(value), _mm512_extractf32x8_ps(value, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }

 private:
  static __mmask16 Mask(size_t count) { return static_cast<__mmask16>((1U << count) - 1); }
  static VecAvx512 LoadMasked(const float* from, __mmask16 mask) { return {_mm512_maskz_loadu_ps(mask, from)}; }
  static VecAvx512 LoadMasked(const int8_t* from, __mmask16 mask) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, from)))};
  }
  static VecAvx512 LoadMasked(const StoredHalf* from, __mmask16 mask) {
    return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, from))};
  }
  static VecAvx512 LoadMasked(const StoredBfloat16* from, __mmask16 mask) {
    const __m512i bits = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(bits, 16))};
  }
};

}  // namespace atelier::tensor

// Eight floats in an AVX register, with fused multiply-add. Only for sources compiled with -mavx2 -mfma.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace atelier::tensor {

struct VecAvx2 {
  static constexpr size_t kLanes = 8;
  __m256 value;

  static VecAvx2 Zero() { return {_mm256_setzero_ps()}; }
  static VecAvx2 Broadcast(float value) { return {_mm256_set1_ps(value)}; }
  static VecAvx2 Load(const float* from) { return {_mm256_loadu_ps(from)}; }
  // The first `count` floats, zeros behind them; reads nothing else.
  static VecAvx2 LoadPart(const float* from, size_t count) {
    alignas(32) static constexpr int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
    const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + kLanes - count));
    return {_mm256_maskload_ps(from, mask)};
  }
  void Store(float* to) const { _mm256_storeu_ps(to, value); }
  // a * b + c
  static VecAvx2 MulAdd(const VecAvx2& a, const VecAvx2& b, const VecAvx2& c) {
    return {_mm256_fmadd_ps(a.value, b.value, c.value)};
  }
  // Halves onto halves, in the scalar reference's order.
  float Sum() const {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
};

}  // namespace atelier::tensor

// The vector type of the integer kernels in AVX registers. Only for sources compiled with -mavx2 -mfma -mf16c.
#pragma once

#include <immintrin.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "tensor/packed/activations.h"
#include "tensor/quants/blocks.h"

namespace atelier::tensor {

struct PackedAvx2 {
  static constexpr size_t kRows = 8;
  static constexpr size_t kInputs = 4;  // that registers have room for beside two panels
  static constexpr bool kWideSums = false;
  static constexpr bool kRaises = false;
  static constexpr bool kTakesSigned = false;
  using Bytes = __m256i;    // 32 bytes: 8 rows of 4 columns
  using Quads = __m256i;    // the same four bytes in all rows
  using Partial = __m256i;  // 16 sums of 16 bits, two a row
  using Ints = __m256i;     // 8 sums of 32 bits
  using Floats = __m256;

  static void Prefetch(const uint8_t* at) { _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T0); }
  static Bytes LoadBytes(const uint8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  template <bool kHigh>
  static Bytes HalfBytes(Bytes bytes) {
    return _mm256_and_si256(kHigh ? _mm256_srli_epi16(bytes, 4) : bytes, _mm256_set1_epi8(15));
  }
  // The bits of `mask` at `from`, moved to 4. What a shift brings in from the neighbouring byte is masked off.
  template <size_t kFrom, unsigned kMask>
  static Bytes Bits(Bytes bytes) {
    const Bytes moved = kFrom < 4 ? _mm256_slli_epi16(bytes, kFrom < 4 ? 4 - kFrom : 0)
                                  : _mm256_srli_epi16(bytes, kFrom < 4 ? 0 : kFrom - 4);
    return _mm256_and_si256(moved, _mm256_set1_epi8(static_cast<char>(kMask << 4)));
  }
  static Bytes Or(Bytes a, Bytes b) { return _mm256_or_si256(a, b); }
  static Bytes Iq4Values(Bytes levels) {
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kIq4Values.data()));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), levels);
  }
  static Bytes Magnitude(Bytes levels) { return _mm256_abs_epi8(levels); }
  static Quads Quad(const int8_t* from) {
    int32_t four = 0;
    std::memcpy(&four, from, sizeof(four));
    return _mm256_set1_epi32(four);
  }
  static Partial Dot(Bytes levels, Quads quad) { return _mm256_maddubs_epi16(levels, quad); }
  static Partial AddDot(Partial sum, Bytes levels, Quads quad) {
    sum = _mm256_add_epi16(sum, Dot(levels, quad));
    return Now(sum);
  }
  static Ints Total(Partial partial) { return _mm256_madd_epi16(partial, _mm256_set1_epi16(1)); }
  static Ints DotSigned(Bytes magnitude, Bytes levels, Quads quad) {
    return Total(_mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(quad, levels)));
  }
  static Ints AddInts(Ints a, Ints b) { return Now(_mm256_add_epi32(a, b)); }
  // sum times the power of two, in all rows
  template <int32_t kPower>
  static Ints Times(int32_t sum) {
    return _mm256_slli_epi32(_mm256_set1_epi32(sum), std::countr_zero(static_cast<uint32_t>(kPower)));
  }
  static Ints SubtractInts(Ints a, Ints b) { return _mm256_sub_epi32(a, b); }
  static Floats ToFloats(Ints ints) { return _mm256_cvtepi32_ps(ints); }
  static Floats LoadHalves(const uint8_t* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static Floats SignedBytes(const uint8_t* from) { return ToFloats(_mm256_cvtepi8_epi32(Load8(from))); }
  static Floats UnsignedBytes(const uint8_t* from) { return ToFloats(_mm256_cvtepu8_epi32(Load8(from))); }
  static Floats Broadcast(float value) { return _mm256_set1_ps(value); }
  static Floats Multiply(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
  static Floats MulAdd(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  static void Store(Floats floats, float* to) { _mm256_storeu_ps(to, floats); }

  static void Round(const float* values, size_t cells, ActivationBlock* to) {
    for (size_t cell = 0; cell < cells; ++cell, values += kCellColumns) {
      RoundCell(values, to[cell]);
    }
  }

 private:
  // Keeps the compiler from putting all products first and their sums last, which needs more registers than there are.
  static __m256i Now(__m256i value) {
    asm("" : "+x"(value));
    return value;
  }
  static __m128i Load8(const uint8_t* from) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)); }

  static void RoundCell(const float* values, ActivationBlock& to) {
    __m256 value[4];
    __m256 magnitude = _mm256_setzero_ps();
    __m256 zero = _mm256_setzero_ps();  // stays zero as long as all is finite
    for (size_t i = 0; i < 4; ++i) {
      value[i] = _mm256_loadu_ps(values + 8 * i);
      magnitude = _mm256_max_ps(magnitude, _mm256_andnot_ps(_mm256_set1_ps(-0.0F), value[i]));
      zero = _mm256_add_ps(zero, _mm256_mul_ps(value[i], _mm256_setzero_ps()));
    }
    const bool finite = _mm256_movemask_ps(_mm256_cmp_ps(zero, zero, _CMP_UNORD_Q)) == 0;
    to.scale = finite ? Largest(magnitude) / 127.0F : std::numeric_limits<float>::quiet_NaN();
    const float inverse = finite && to.scale > 0 ? 1.0F / to.scale : 0.0F;
    const __m256 factor = _mm256_set1_ps(std::isfinite(inverse) ? inverse : 0.0F);
    __m256i level[4];
    for (size_t i = 0; i < 4; ++i) {
      level[i] = finite ? _mm256_cvtps_epi32(_mm256_mul_ps(value[i], factor)) : _mm256_setzero_si256();
    }
    const int first = Sum(_mm256_add_epi32(level[0], level[1]));
    const int second = Sum(_mm256_add_epi32(level[2], level[3]));
    const int sums[] = {first + second, first, second};
    for (size_t i = 0; i < 3; ++i) {
      to.level_sums[i] = sums[i];
      to.sums[i] = to.scale * static_cast<float>(sums[i]);
    }
    // Packing works within 128 bits, so the four-byte groups come out of order: 0 2 4 6 1 3 5 7.
    const __m256i packed =
        _mm256_packs_epi16(_mm256_packs_epi32(level[0], level[1]), _mm256_packs_epi32(level[2], level[3]));
    const __m256i ordered = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to.level), ordered);
  }
  static float Largest(__m256 values) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps(values, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
  }
  static int Sum(__m256i values) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(2, 3, 0, 1))));
  }
};

}  // namespace atelier::tensor

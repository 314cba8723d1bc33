// The vector type of the integer kernels in AVX-512 registers. Only for sources compiled with AVX-512's flags; each has
// a tag of its own, so that what is compiled with one source's flags is not shared with another.
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

template <class Source>
struct PackedAvx512 {
  static constexpr size_t kRows = 16;
  static constexpr size_t kInputs = 4;  // that registers have room for beside two panels
  static constexpr bool kWideSums = false;
  static constexpr bool kRaises = false;
  static constexpr bool kTakesSigned = false;
  using Bytes = __m512i;    // 64 bytes: 16 rows of 4 columns
  using Quads = __m512i;    // the same four bytes in all rows
  using Partial = __m512i;  // 32 sums of 16 bits, two a row
  using Ints = __m512i;     // 16 sums of 32 bits
  using Floats = __m512;

  static void Prefetch(const uint8_t* at) { _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T0); }
  static Bytes LoadBytes(const uint8_t* from) { return _mm512_loadu_si512(from); }
  static void StoreBytes(Bytes bytes, uint8_t* to) { _mm512_storeu_si512(to, bytes); }
  template <bool kHigh>
  static Bytes HalfBytes(Bytes bytes) {
    return _mm512_and_si512(kHigh ? _mm512_srli_epi16(bytes, 4) : bytes, _mm512_set1_epi8(15));
  }
  // The bits of `mask` at `from`, moved to 4. What a shift brings in from the neighbouring byte is masked off.
  template <size_t kFrom, unsigned kMask>
  static Bytes Bits(Bytes bytes) {
    const Bytes moved = kFrom < 4 ? _mm512_slli_epi16(bytes, kFrom < 4 ? 4 - kFrom : 0)
                                  : _mm512_srli_epi16(bytes, kFrom < 4 ? 0 : kFrom - 4);
    return _mm512_and_si512(moved, _mm512_set1_epi8(static_cast<char>(kMask << 4)));
  }
  static Bytes Repeat(uint8_t byte) { return _mm512_set1_epi8(static_cast<char>(byte)); }
  static Bytes SubtractBytes(Bytes a, Bytes b) { return _mm512_sub_epi8(a, b); }
  static Bytes Or(Bytes a, Bytes b) { return _mm512_or_si512(a, b); }
  static Bytes Iq4Values(Bytes levels) {
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kIq4Values.data()));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), levels);
  }
  static Bytes Magnitude(Bytes levels) { return _mm512_abs_epi8(levels); }
  static Quads Quad(const int8_t* from) {
    int32_t four = 0;
    std::memcpy(&four, from, sizeof(four));
    return _mm512_set1_epi32(four);
  }
  static Partial Dot(Bytes levels, Quads quad) { return _mm512_maddubs_epi16(levels, quad); }
  static Partial AddDot(Partial sum, Bytes levels, Quads quad) { return Now(_mm512_add_epi16(sum, Dot(levels, quad))); }
  static Ints Total(Partial partial) { return _mm512_madd_epi16(partial, _mm512_set1_epi16(1)); }
  static Ints DotSigned(Bytes magnitude, Bytes levels, Quads quad) {
    const Quads turned = _mm512_mask_sub_epi8(quad, _mm512_movepi8_mask(levels), _mm512_setzero_si512(), quad);
    return Total(_mm512_maddubs_epi16(magnitude, turned));
  }
  static Ints AddInts(Ints a, Ints b) { return Now(_mm512_add_epi32(a, b)); }
  // sum times the power of two, in all rows
  template <int32_t kPower>
  static Ints Times(int32_t sum) {
    return _mm512_slli_epi32(_mm512_set1_epi32(sum), std::countr_zero(static_cast<uint32_t>(kPower)));
  }
  static Ints SubtractInts(Ints a, Ints b) { return _mm512_sub_epi32(a, b); }
  static Ints LoadInts(const int32_t* from) { return _mm512_loadu_si512(from); }
  static Floats ToFloats(Ints ints) { return _mm512_cvtepi32_ps(ints); }
  static Floats LoadHalves(const uint8_t* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static Floats SignedBytes(const uint8_t* from) { return ToFloats(_mm512_cvtepi8_epi32(Load16(from))); }
  static Floats UnsignedBytes(const uint8_t* from) { return ToFloats(_mm512_cvtepu8_epi32(Load16(from))); }
  static Floats Broadcast(float value) { return _mm512_set1_ps(value); }
  static Floats Multiply(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats MulAdd(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static void Store(Floats floats, float* to) { _mm512_storeu_ps(to, floats); }

  static void Round(const float* values, size_t cells, ActivationBlock* to) {
    for (size_t cell = 0; cell < cells; ++cell, values += kCellColumns) {
      RoundCell(values, to[cell]);
    }
  }

 private:
  // As in packed_avx2.h.
  static __m512i Now(__m512i value) {
    asm("" : "+v"(value));
    return value;
  }
  static __m128i Load16(const uint8_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }

  static void RoundCell(const float* values, ActivationBlock& to) {
    const __m512 value[2] = {_mm512_loadu_ps(values), _mm512_loadu_ps(values + 16)};
    const __m512 none = _mm512_setzero_ps();
    const __m512 zero = _mm512_fmadd_ps(value[0], none, _mm512_mul_ps(value[1], none));  // where all is finite
    const bool finite = _mm512_cmp_ps_mask(zero, zero, _CMP_UNORD_Q) == 0;
    const float largest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(value[0]), _mm512_abs_ps(value[1])));
    to.scale = finite ? largest / 127.0F : std::numeric_limits<float>::quiet_NaN();
    const float inverse = finite && to.scale > 0 ? 1.0F / to.scale : 0.0F;
    const __m512 factor = _mm512_set1_ps(std::isfinite(inverse) ? inverse : 0.0F);
    int halves[2];
    for (size_t i = 0; i < 2; ++i) {
      const __m512i level = finite ? _mm512_cvtps_epi32(_mm512_mul_ps(value[i], factor)) : _mm512_setzero_si512();
      halves[i] = _mm512_reduce_add_epi32(level);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to.level + 16 * i), _mm512_cvtepi32_epi8(level));
    }
    const int sums[] = {halves[0] + halves[1], halves[0], halves[1]};
    for (size_t i = 0; i < 3; ++i) {
      to.level_sums[i] = sums[i];
      to.sums[i] = to.scale * static_cast<float>(sums[i]);
    }
  }
};

#ifdef __AVX512VNNI__
// The same with products of four pairs at once, added to 32 bits.
template <class Source>
struct PackedAvx512Vnni : PackedAvx512<Source> {
  static constexpr size_t kInputs = 6;
  static constexpr bool kWideSums = true;
  static constexpr bool kRaises = true;
  using typename PackedAvx512<Source>::Bytes;
  using typename PackedAvx512<Source>::Ints;
  using typename PackedAvx512<Source>::Quads;
  using Partial = Ints;

  static Bytes Raise(Bytes levels) { return _mm512_xor_si512(levels, _mm512_set1_epi8(-128)); }
  static Partial Dot(Bytes levels, Quads quad) { return AddDot(_mm512_setzero_si512(), levels, quad); }
  static Partial AddDot(Partial sum, Bytes levels, Quads quad) { return _mm512_dpbusd_epi32(sum, levels, quad); }
  static Ints Total(Partial partial) { return partial; }
};
#endif

}  // namespace atelier::tensor

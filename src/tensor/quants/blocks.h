// How a block of each quantised format lies in a file, and the packed scales of the K formats. Source of the layouts:
// https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-common.h. Every member is a byte or an array of
// bytes, so a block may lie at any address. `q` are the levels, low bits first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tensor/quants/half.h"

namespace atelier::tensor {

inline constexpr size_t kBlockWeights = 32;
inline constexpr size_t kSuperBlockWeights = 256;

template <size_t count>
using Bytes = std::array<uint8_t, count>;

// Blocks of 32. Byte i of q: weight i in the low half, weight i + 16 in the high half.
struct Q4_0Block {  // scale * (q - 8)
  StoredHalf scale;
  Bytes<16> q;
};
struct Q4_1Block {  // scale * q + offset
  StoredHalf scale;
  StoredHalf offset;
  Bytes<16> q;
};
struct Q5_0Block {  // scale * (q - 16); bit i of `high`: the fifth bit of weight i
  StoredHalf scale;
  Bytes<4> high;
  Bytes<16> q;
};
struct Q5_1Block {  // scale * q + offset
  StoredHalf scale;
  StoredHalf offset;
  Bytes<4> high;
  Bytes<16> q;
};
struct Q8_0Block {  // scale * q, q signed
  StoredHalf scale;
  Bytes<32> q;
};
struct Iq4NlBlock {  // scale * kIq4Values[q]
  StoredHalf scale;
  Bytes<16> q;
};

// Super-blocks of 256 in sub-blocks of 16 or 32, each with a small scale (and minimum) of its own.
struct Q2KBlock {    // scale * s * q - minimum * m; 16 sub-blocks of 16
  Bytes<16> scales;  // s in the low half, m in the high half
  Bytes<64> q;       // of 128 weights in 32 bytes: weight 32 k + i in bits 2 k of byte i
  StoredHalf scale;
  StoredHalf minimum;
};
struct Q3KBlock {    // scale * (s - 32) * (q - 4); 16 sub-blocks of 16
  Bytes<32> high;    // weight 32 k + i: bit k of byte i is its third bit
  Bytes<64> q;       // as in Q2K
  Bytes<12> scales;  // see Q3KScale
  StoredHalf scale;
};
struct Q4KBlock {  // scale * s * q - minimum * m; 8 sub-blocks of 32
  StoredHalf scale;
  StoredHalf minimum;
  Bytes<12> scales;  // see ScaleMinimum
  Bytes<128> q;      // of 64 weights in 32 bytes: the first 32 in the low halves
};
struct Q5KBlock {  // as Q4K
  StoredHalf scale;
  StoredHalf minimum;
  Bytes<12> scales;
  Bytes<32> high;  // weight 32 k + i: bit k of byte i is its fifth bit
  Bytes<128> q;
};
struct Q6KBlock {  // scale * s * (q - 32); 16 sub-blocks of 16, s signed
  Bytes<128> low;  // of 128 weights in 64 bytes: the first 64 in the low halves
  Bytes<64> high;  // of 128 weights in 32 bytes: weight 32 k + i in bits 2 k of byte i
  Bytes<16> scales;
  StoredHalf scale;
};
struct Iq4XsBlock {  // scale * (s - 32) * kIq4Values[q]; 8 sub-blocks of 32
  StoredHalf scale;
  Bytes<2> scales_high;  // bits 2 k: the upper two of s of sub-block k
  Bytes<4> scales_low;   // half a byte for each s
  Bytes<128> q;          // of 32 weights in 16 bytes, as in Q4_0
};

static_assert(sizeof(Q4_0Block) == 18 && sizeof(Q4_1Block) == 20 && sizeof(Q5_0Block) == 22 && sizeof(Q5_1Block) == 24);
static_assert(sizeof(Q8_0Block) == 34 && sizeof(Iq4NlBlock) == 18 && sizeof(Iq4XsBlock) == 136);
static_assert(sizeof(Q2KBlock) == 84 && sizeof(Q3KBlock) == 110 && sizeof(Q4KBlock) == 144);
static_assert(sizeof(Q5KBlock) == 176 && sizeof(Q6KBlock) == 210 && alignof(Q6KBlock) == 1);

// The levels of IQ4_NL and IQ4_XS, ascending.
inline constexpr std::array<int8_t, 16> kIq4Values{-127, -104, -83, -65, -49, -35, -22, -10,
                                                   1,    13,   25,  38,  53,  69,  89,  113};

struct ScaleMinimum {
  uint8_t scale;
  uint8_t minimum;
};

// The eight pairs of six bits of Q4_K and Q5_K: 0 to 3 in the lower six bits of bytes 0 to 3 and 4 to 7; of 4 to 7 the
// lower four bits in the halves of bytes 8 to 11 and the upper two on top of bytes 0 to 7.
inline ScaleMinimum GetScaleMinimum(const Bytes<12>& packed, size_t i) {
  if (i < 4) {
    return {static_cast<uint8_t>(packed[i] & 63), static_cast<uint8_t>(packed[i + 4] & 63)};
  }
  return {static_cast<uint8_t>((packed[i + 4] & 15) | ((packed[i - 4] >> 6) << 4)),
          static_cast<uint8_t>((packed[i + 4] >> 4) | ((packed[i] >> 6) << 4))};
}

// `packed` must have been zero where nothing is set yet.
inline void SetScaleMinimum(Bytes<12>& packed, size_t i, ScaleMinimum value) {
  if (i < 4) {
    packed[i] = static_cast<uint8_t>(packed[i] | value.scale);
    packed[i + 4] = static_cast<uint8_t>(packed[i + 4] | value.minimum);
    return;
  }
  packed[i + 4] = static_cast<uint8_t>((value.scale & 15) | ((value.minimum & 15) << 4));
  packed[i - 4] = static_cast<uint8_t>(packed[i - 4] | ((value.scale >> 4) << 6));
  packed[i] = static_cast<uint8_t>(packed[i] | ((value.minimum >> 4) << 6));
}

// The sixteen scales of six bits of Q3_K: the lower four bits in the halves of bytes 0 to 7, the upper two in bytes 8
// to 11, four to a byte.
inline uint8_t GetQ3KScale(const Bytes<12>& packed, size_t i) {
  const int low = i < 8 ? packed[i] & 15 : packed[i - 8] >> 4;
  const int high = (packed[8 + i % 4] >> (2 * (i / 4))) & 3;
  return static_cast<uint8_t>(low | (high << 4));
}
inline void SetQ3KScale(Bytes<12>& packed, size_t i, uint8_t value) {
  packed[i % 8] = static_cast<uint8_t>(packed[i % 8] | ((value & 15) << (i < 8 ? 0 : 4)));
  packed[8 + i % 4] = static_cast<uint8_t>(packed[8 + i % 4] | ((value >> 4) << (2 * (i / 4))));
}

}  // namespace atelier::tensor

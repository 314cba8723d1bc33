// The vector type of the integer kernels without any instruction set: the reference that the others are compared with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "tensor/packed/activations.h"
#include "tensor/quants/blocks.h"

namespace atelier::tensor {

struct PackedScalar {
  static constexpr size_t kRows = 8;
  static constexpr size_t kInputs = 4;         // that registers have room for beside two panels
  static constexpr bool kWideSums = true;      // Partial has 32 bits
  static constexpr bool kRaises = false;       // Raise makes signed levels such that Dot takes them
  static constexpr bool kTakesSigned = false;  // Dot takes them as they are; without either there is DotSigned
  struct Bytes {
    uint8_t at[4 * kRows];
  };
  struct Quads {
    int8_t at[4];
  };
  struct Ints {
    int32_t at[kRows];
  };
  using Partial = Ints;
  struct Floats {
    float at[kRows];
  };

  template <class T, class Function>
  static T Each(Function function) {
    T out;
    for (size_t i = 0; i < std::size(out.at); ++i) {
      out.at[i] = function(i);
    }
    return out;
  }

  static void Prefetch(const uint8_t*) {}
  static Bytes LoadBytes(const uint8_t* from) {
    return Each<Bytes>([&](size_t i) { return from[i]; });
  }
  template <bool kHigh>
  static Bytes HalfBytes(const Bytes& bytes) {
    return Each<Bytes>([&](size_t i) { return static_cast<uint8_t>((bytes.at[i] >> (kHigh ? 4 : 0)) & 15); });
  }
  // The bits of `mask` at `from`, moved to 4.
  template <size_t kFrom, unsigned kMask>
  static Bytes Bits(const Bytes& bytes) {
    return Each<Bytes>([&](size_t i) { return static_cast<uint8_t>(((bytes.at[i] >> kFrom) & kMask) << 4); });
  }
  static Bytes Or(const Bytes& a, const Bytes& b) {
    return Each<Bytes>([&](size_t i) { return static_cast<uint8_t>(a.at[i] | b.at[i]); });
  }
  static Bytes Iq4Values(const Bytes& levels) {
    return Each<Bytes>([&](size_t i) { return static_cast<uint8_t>(kIq4Values[levels.at[i]]); });
  }
  static Bytes Magnitude(const Bytes& levels) { return levels; }
  static Quads Quad(const int8_t* from) {
    return Each<Quads>([&](size_t i) { return from[i]; });
  }
  static Ints Dot(const Bytes& levels, const Quads& quad) {
    return Each<Ints>([&](size_t row) {
      int32_t sum = 0;
      for (size_t j = 0; j < 4; ++j) {
        sum += levels.at[4 * row + j] * quad.at[j];
      }
      return sum;
    });
  }
  static Ints AddDot(const Ints& sum, const Bytes& levels, const Quads& quad) {
    return AddInts(sum, Dot(levels, quad));
  }
  static Ints DotSigned(const Bytes&, const Bytes& levels, const Quads& quad) {
    return Each<Ints>([&](size_t row) {
      int32_t sum = 0;
      for (size_t j = 0; j < 4; ++j) {
        sum += static_cast<int8_t>(levels.at[4 * row + j]) * quad.at[j];
      }
      return sum;
    });
  }
  static Ints Total(const Partial& partial) { return partial; }
  static Ints AddInts(const Ints& a, const Ints& b) {
    return Each<Ints>([&](size_t i) { return a.at[i] + b.at[i]; });
  }
  template <int32_t kPower>
  static Ints Times(int32_t sum) {
    return Each<Ints>([&](size_t) { return kPower * sum; });
  }
  static Ints SubtractInts(const Ints& a, const Ints& b) {
    return Each<Ints>([&](size_t i) { return a.at[i] - b.at[i]; });
  }
  static Floats ToFloats(const Ints& ints) {
    return Each<Floats>([&](size_t i) { return static_cast<float>(ints.at[i]); });
  }
  static Floats LoadHalves(const uint8_t* from) {
    return Each<Floats>([&](size_t i) { return StoredHalf{{from[2 * i], from[2 * i + 1]}}.value(); });
  }
  static Floats SignedBytes(const uint8_t* from) {
    return Each<Floats>([&](size_t i) { return static_cast<float>(static_cast<int8_t>(from[i])); });
  }
  static Floats UnsignedBytes(const uint8_t* from) {
    return Each<Floats>([&](size_t i) { return static_cast<float>(from[i]); });
  }
  static Floats Broadcast(float value) {
    return Each<Floats>([&](size_t) { return value; });
  }
  static Floats Multiply(const Floats& a, const Floats& b) {
    return Each<Floats>([&](size_t i) { return a.at[i] * b.at[i]; });
  }
  static Floats MulAdd(const Floats& a, const Floats& b, const Floats& c) {
    return Each<Floats>([&](size_t i) { return std::fma(a.at[i], b.at[i], c.at[i]); });
  }
  static void Store(const Floats& floats, float* to) { std::copy_n(floats.at, kRows, to); }

  static void Round(const float* values, size_t cells, ActivationBlock* to) {
    for (size_t cell = 0; cell < cells; ++cell, values += kCellColumns) {
      RoundCell(values, to[cell]);
    }
  }
  static void RoundCell(const float* values, ActivationBlock& to) {
    float largest = 0;
    bool finite = true;
    for (size_t i = 0; i < kCellColumns; ++i) {
      largest = std::max(largest, std::fabs(values[i]));
      finite = finite && std::isfinite(values[i]);
    }
    to.scale = finite ? largest / 127.0F : std::numeric_limits<float>::quiet_NaN();
    const float inverse = finite && to.scale > 0 ? 1.0F / to.scale : 0.0F;
    int sums[3] = {0, 0, 0};
    for (size_t i = 0; i < kCellColumns; ++i) {
      const float scaled = finite && std::isfinite(inverse) ? values[i] * inverse : 0.0F;
      to.level[i] = static_cast<int8_t>(std::nearbyint(scaled));
      sums[0] += to.level[i];
      sums[1 + i / 16] += to.level[i];
    }
    for (size_t i = 0; i < 3; ++i) {
      to.level_sums[i] = sums[i];
      to.sums[i] = to.scale * static_cast<float>(sums[i]);
    }
  }
};

}  // namespace atelier::tensor

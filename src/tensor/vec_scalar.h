// Eight floats without any instruction set: the reference that the others are compared with, and the list of what
// kernels ask of a vector type.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "tensor/quants/half.h"

namespace atelier::tensor {

struct VecScalar {
  static constexpr size_t kLanes = 8;
  float lane[kLanes];

  template <class Function>
  static VecScalar Each(const Function& function) {
    VecScalar v;
    for (size_t i = 0; i < kLanes; ++i) {
      v.lane[i] = function(i);
    }
    return v;
  }
  static VecScalar Zero() { return {}; }
  static VecScalar Broadcast(float value) {
    VecScalar v;
    for (float& x : v.lane) {
      x = value;
    }
    return v;
  }
  // W: float, StoredHalf, StoredBfloat16 or int8_t.
  template <class W>
  static VecScalar Load(const W* from) {
    return LoadPart(from, kLanes);
  }
  // A column of a panel of 16-bit weights (halves/half_panels.h): its first and its last rows.
  static void LoadPair(const StoredHalf* from, VecScalar& first, VecScalar& last) {
    first = Load(from);
    last = Load(from + kLanes);
  }
  static void LoadPair(const StoredBfloat16* from, VecScalar& first, VecScalar& last) {
    for (size_t i = 0; i < kLanes; ++i) {
      first.lane[i] = from[2 * i].value();
      last.lane[i] = from[2 * i + 1].value();
    }
  }
  static void Prefetch(const void*) {}
  // The first `count` floats, zeros behind them; reads nothing else.
  template <class W>
  static VecScalar LoadPart(const W* from, size_t count) {
    VecScalar v = Zero();
    for (size_t i = 0; i < count; ++i) {
      v.lane[i] = ValueOf(from[i]);
    }
    return v;
  }
  void Store(float* to) const { StorePart(to, kLanes); }
  void StorePart(float* to, size_t count) const {
    for (size_t i = 0; i < count; ++i) {
      to[i] = lane[i];
    }
  }
  // W: StoredHalf or StoredBfloat16, rounded to the nearest, ties to even.
  template <class W>
  void Store(W* to) const {
    for (size_t i = 0; i < kLanes; ++i) {
      to[i].set(lane[i]);
    }
  }
  static VecScalar Add(const VecScalar& a, const VecScalar& b) {
    return Each([&](size_t i) { return a.lane[i] + b.lane[i]; });
  }
  // a * b + c
  static VecScalar MulAdd(const VecScalar& a, const VecScalar& b, const VecScalar& c) {
    return Each([&](size_t i) { return a.lane[i] * b.lane[i] + c.lane[i]; });
  }
  static VecScalar Multiply(const VecScalar& a, const VecScalar& b) {
    return Each([&](size_t i) { return a.lane[i] * b.lane[i]; });
  }
  static VecScalar Divide(const VecScalar& a, const VecScalar& b) {
    return Each([&](size_t i) { return a.lane[i] / b.lane[i]; });
  }
  static VecScalar SquareRoot(const VecScalar& a) {
    return Each([&](size_t i) { return std::sqrt(a.lane[i]); });
  }
  // NaN in `a` stays.
  static VecScalar Min(const VecScalar& a, const VecScalar& b) {
    return Each([&](size_t i) { return b.lane[i] < a.lane[i] ? b.lane[i] : a.lane[i]; });
  }
  static VecScalar Max(const VecScalar& a, const VecScalar& b) {
    return Each([&](size_t i) { return b.lane[i] > a.lane[i] ? b.lane[i] : a.lane[i]; });
  }
  // To the nearest integer, ties to even.
  static VecScalar Round(const VecScalar& a) {
    return Each([&](size_t i) { return std::nearbyint(a.lane[i]); });
  }
  // value * 2^exponent, exponents being integers from -126 to 127.
  static VecScalar TimesPowerOfTwo(const VecScalar& value, const VecScalar& exponent) {
    return Each([&](size_t i) {
      return std::isnan(exponent.lane[i]) ? exponent.lane[i]
                                          : std::ldexp(value.lane[i], static_cast<int>(exponent.lane[i]));
    });
  }
  // 1, 0, 3, 2 ...
  static VecScalar SwapNeighbours(const VecScalar& a) {
    return Each([&](size_t i) { return a.lane[i ^ 1U]; });
  }
  // Halves onto halves: (0+4, 1+5, 2+6, 3+7), again, and again.
  float Sum() const {
    const float a = (lane[0] + lane[4]) + (lane[2] + lane[6]);
    const float b = (lane[1] + lane[5]) + (lane[3] + lane[7]);
    return a + b;
  }

 private:
  static float ValueOf(float value) { return value; }
  static float ValueOf(int8_t value) { return value; }
  template <class W>
  static float ValueOf(const W& stored) {
    return stored.value();
  }
};

}  // namespace atelier::tensor

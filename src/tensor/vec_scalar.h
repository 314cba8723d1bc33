// Eight floats without any instruction set: the reference that the others are compared with.
#pragma once

#include <cstddef>

namespace atelier::tensor {

struct VecScalar {
  static constexpr size_t kLanes = 8;
  float lane[kLanes];

  static VecScalar Zero() { return {}; }
  static VecScalar Broadcast(float value) {
    VecScalar v;
    for (float& x : v.lane) {
      x = value;
    }
    return v;
  }
  template <class W>
  static VecScalar Load(const W* from) {
    return LoadPart(from, kLanes);
  }
  // The first `count` floats, zeros behind them; reads nothing else.
  template <class W>
  static VecScalar LoadPart(const W* from, size_t count) {
    VecScalar v = Zero();
    for (size_t i = 0; i < count; ++i) {
      v.lane[i] = ValueOf(from[i]);
    }
    return v;
  }
  void Store(float* to) const {
    for (size_t i = 0; i < kLanes; ++i) {
      to[i] = lane[i];
    }
  }
  // a * b + c
  static VecScalar MulAdd(const VecScalar& a, const VecScalar& b, const VecScalar& c) {
    VecScalar v;
    for (size_t i = 0; i < kLanes; ++i) {
      v.lane[i] = a.lane[i] * b.lane[i] + c.lane[i];
    }
    return v;
  }
  // Halves onto halves: (0+4, 1+5, 2+6, 3+7), again, and again.
  float Sum() const {
    const float a = (lane[0] + lane[4]) + (lane[2] + lane[6]);
    const float b = (lane[1] + lane[5]) + (lane[3] + lane[7]);
    return a + b;
  }

 private:
  static float ValueOf(float value) { return value; }
  template <class W>
  static float ValueOf(const W& stored) {
    return stored.value();
  }
};

}  // namespace atelier::tensor

// Walking a row of floats in vectors of type V. Included like float_kernels_on.h.
#pragma once

#include <cstddef>

namespace atelier::tensor {

inline constexpr size_t kSumLanes = 16;  // a multiple of every V's

template <class V>
struct WholeVector {
  V Load(const float* from) const { return V::Load(from); }
  void Store(const V& value, float* to) const { value.Store(to); }
  V Cut(const V& value) const { return value; }
};

template <class V>
struct PartVector {  // the first `count` of its lanes; zeros are loaded behind them
  size_t count;
  V Load(const float* from) const { return V::LoadPart(from, count); }
  void Store(const V& value, float* to) const { value.StorePart(to, count); }
  V Cut(const V& value) const {  // zeros behind them
    float lanes[V::kLanes];
    value.Store(lanes);
    return V::LoadPart(lanes, count);
  }
};

// body(whole, i, part): `whole` loads and stores the vector at i, a WholeVector or the last in part; part is
// i % kSumLanes / V::kLanes.
template <class V, class Body>
void EachVector(size_t count, const Body& body) {
  size_t i = 0;
  for (; i + kSumLanes <= count; i += kSumLanes) {
    for (size_t part = 0; part < kSumLanes / V::kLanes; ++part) {
      body(WholeVector<V>{}, i + part * V::kLanes, part);
    }
  }
  for (size_t part = 0; i < count; ++part, i += V::kLanes) {
    const size_t left = count - i;
    body(PartVector<V>{left < V::kLanes ? left : V::kLanes}, i, part);
  }
}

// A sum in sixteen parts, number i in the (i mod 16)th, which are then added halves onto halves: in the same order
// for every V.
template <class V>
class LaneSum {
 public:
  LaneSum() {
    for (V& part : parts_) {
      part = V::Zero();
    }
  }
  void Add(size_t part, const V& value) { parts_[part] = V::Add(parts_[part], value); }
  void AddSquare(size_t part, const V& value) { parts_[part] = V::MulAdd(value, value, parts_[part]); }
  float Total() {
    for (size_t half = kSumLanes / V::kLanes / 2; half > 0; half /= 2) {
      for (size_t part = 0; part < half; ++part) {
        parts_[part] = V::Add(parts_[part], parts_[part + half]);
      }
    }
    return parts_[0].Sum();
  }

 private:
  V parts_[kSumLanes / V::kLanes];
};

}  // namespace atelier::tensor

// exp and what is made of it, on a vector type V. Included like float_kernels_on.h.
#pragma once

#include <cstddef>

namespace atelier::tensor {

template <class V>
struct ExponentialsOn {
  // exp(x) = 2^n * exp(r), n the nearest integer to x / ln 2: the Taylor series of exp to the seventh power for
  // |r| <= ln(2) / 2, ln 2 taken off in two parts so that r is exact (Cody and Waite, "Software Manual for the
  // Elementary Functions", 1980). Clamped to where 2^n is a normal number.
  static V Exp(const V& x) {
    const V clamped = V::Max(V::Min(x, V::Broadcast(88.0F)), V::Broadcast(-87.0F));
    const V n = V::Round(V::Multiply(clamped, V::Broadcast(1.44269504F)));
    const V high = V::MulAdd(n, V::Broadcast(-0.693359375F), clamped);
    const V r = V::MulAdd(n, V::Broadcast(2.12194440e-4F), high);
    V sum = V::Broadcast(1.0F / 5040);
    for (const float factor : {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 1.0F / 2, 1.0F, 1.0F}) {
      sum = V::MulAdd(sum, r, V::Broadcast(factor));
    }
    return V::TimesPowerOfTwo(sum, n);
  }

  template <class Function>
  static void Each(float* values, size_t count, const Function& function) {
    size_t i = 0;
    for (; i + V::kLanes <= count; i += V::kLanes) {
      function(V::Load(values + i)).Store(values + i);
    }
    if (i < count) {
      function(V::LoadPart(values + i, count - i)).StorePart(values + i, count - i);
    }
  }

  static void Exponentials(float* values, float largest, size_t count) {
    const V shift = V::Broadcast(-largest);
    Each(values, count, [&](const V& x) { return Exp(V::MulAdd(x, V::Broadcast(1), shift)); });
  }

  static void Silu(float* values, size_t count) {
    Each(values, count, [](const V& x) {
      const V one = V::Broadcast(1);
      return V::Divide(x, V::MulAdd(Exp(V::Multiply(x, V::Broadcast(-1))), one, one));
    });
  }
};

}  // namespace atelier::tensor

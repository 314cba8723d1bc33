// exp and what is made of it, on a vector type V. Included like float_kernels_on.h.
#pragma once

#include <cstddef>

#include "tensor/kernels/float_kernels.h"
#include "tensor/kernels/lanes_on.h"

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

  static float Largest(const float* values, size_t count) {
    float all[V::kLanes];
    V largest = V::Broadcast(values[0]);
    size_t i = 0;
    for (; i + V::kLanes <= count; i += V::kLanes) {
      largest = V::Max(largest, V::Load(values + i));
    }
    largest.Store(all);
    float result = all[0];
    for (const float value : all) {
      result = value > result ? value : result;
    }
    for (; i < count; ++i) {
      result = values[i] > result ? values[i] : result;
    }
    return result;
  }

  static Softened Soften(float* scores, size_t count) {
    const float largest = Largest(scores, count);
    const V shift = V::Broadcast(-largest);
    LaneSum<V> sum;
    EachVector<V>(count, [&](auto whole, size_t i, size_t part) {
      const V power = Exp(V::Add(whole.Load(scores + i), shift));
      whole.Store(power, scores + i);
      sum.Add(part, whole.Cut(power));
    });
    return {largest, sum.Total()};
  }

  // x / (1 + exp(-scale(x))) * up
  template <class Scale>
  static void Gate(float* values, const float* up, size_t count, const Scale& scale) {
    const V one = V::Broadcast(1);
    EachVector<V>(count, [&](auto whole, size_t i, size_t) {
      const V x = whole.Load(values + i);
      const V active = V::Divide(x, V::Add(Exp(V::Multiply(scale(x), V::Broadcast(-1))), one));
      whole.Store(up == nullptr ? active : V::Multiply(active, whole.Load(up + i)), values + i);
    });
  }

  static void Silu(float* values, const float* up, size_t count) {
    Gate(values, up, count, [](const V& x) { return x; });
  }

  // x / 2 * (1 + tanh(y)) = x / (1 + exp(-2 y)), y = sqrt(2 / pi) * (x + 0.044715 x^3)
  static void Gelu(float* values, const float* up, size_t count) {
    Gate(values, up, count, [](const V& x) {
      const V inner = V::MulAdd(V::Multiply(x, x), V::Broadcast(0.044715F), V::Broadcast(1));
      return V::Multiply(V::Multiply(x, V::Broadcast(1.59576912F)), inner);
    });
  }

  static void Relu(float* values, const float* up, size_t count) {
    EachVector<V>(count, [&](auto whole, size_t i, size_t) {
      const V active = V::Max(whole.Load(values + i), V::Zero());
      whole.Store(up == nullptr ? active : V::Multiply(active, whole.Load(up + i)), values + i);
    });
  }

  // tanh(y) = 1 - 2 / (exp(2 y) + 1), off by some 1e-7 of the cap.
  static void SoftCap(float* values, float cap, size_t count) {
    const V one = V::Broadcast(1);
    EachVector<V>(count, [&](auto whole, size_t i, size_t) {
      const V power = Exp(V::Divide(whole.Load(values + i), V::Broadcast(cap / 2)));
      const V tanh = V::MulAdd(V::Divide(V::Broadcast(2), V::Add(power, one)), V::Broadcast(-1), one);
      whole.Store(V::Multiply(tanh, V::Broadcast(cap)), values + i);
    });
  }
};

}  // namespace atelier::tensor

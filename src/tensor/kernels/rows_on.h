// What happens to rows of activations between products, on a vector type V. Included like float_kernels_on.h.
#pragma once

#include <cmath>
#include <cstddef>

#include "tensor/kernels/float_kernels.h"
#include "tensor/kernels/lanes_on.h"

namespace atelier::tensor {

template <class V>
struct RowsOn {
  static void Mix(float* to, float kept, const float* from, float share, size_t count) {
    const V a = V::Broadcast(kept);
    const V b = V::Broadcast(share);
    EachVector<V>(count, [&](auto whole, size_t i, size_t) {
      whole.Store(V::MulAdd(whole.Load(to + i), a, V::Multiply(whole.Load(from + i), b)), to + i);
    });
  }

  // The sum of all, to which it adds what is to be added.
  static float Prepare(const NormRow& row) {
    LaneSum<V> sum;
    EachVector<V>(row.count, [&](auto whole, size_t i, size_t part) {
      V x = whole.Load(row.from + i);
      if (row.sum != nullptr) {
        x = V::Add(x, whole.Load(row.added + i));
        whole.Store(x, row.sum + i);
      }
      sum.Add(part, x);
    });
    return sum.Total();
  }

  static void Normalise(const NormRow& row) {
    const float sum = row.centred || row.sum != nullptr ? Prepare(row) : 0.0F;
    const float* from = row.sum != nullptr ? row.sum : row.from;
    const V shift = V::Broadcast(row.centred ? -sum / static_cast<float>(row.count) : 0.0F);
    LaneSum<V> squares;
    EachVector<V>(row.count, [&](auto whole, size_t i, size_t part) {
      squares.AddSquare(part, whole.Cut(V::Add(whole.Load(from + i), shift)));
    });
    const double mean_square = static_cast<double>(squares.Total()) / static_cast<double>(row.count);
    const V scale = V::Broadcast(static_cast<float>(1.0 / std::sqrt(mean_square + row.epsilon)));
    EachVector<V>(row.count, [&](auto whole, size_t i, size_t) {
      const V x = V::Multiply(V::Multiply(V::Add(whole.Load(from + i), shift), scale), whole.Load(row.weight + i));
      whole.Store(row.bias == nullptr ? x : V::Add(x, whole.Load(row.bias + i)), row.to + i);
    });
  }

  static void TurnHead(const Turn& turn, float* head) {
    if (turn.neighbours) {
      return EachVector<V>(turn.dimensions, [&](auto whole, size_t i, size_t) {
        const V x = whole.Load(head + i);
        const V other = V::Multiply(V::SwapNeighbours(x), whole.Load(turn.sines + i));
        whole.Store(V::MulAdd(x, whole.Load(turn.cosines + i), other), head + i);
      });
    }
    const size_t half = turn.dimensions / 2;
    EachVector<V>(half, [&](auto whole, size_t i, size_t) {
      const V a = whole.Load(head + i);
      const V b = whole.Load(head + half + i);
      const V of_a = V::Multiply(b, whole.Load(turn.sines + i));
      const V of_b = V::Multiply(a, whole.Load(turn.sines + half + i));
      whole.Store(V::MulAdd(a, whole.Load(turn.cosines + i), of_a), head + i);
      whole.Store(V::MulAdd(b, whole.Load(turn.cosines + half + i), of_b), head + half + i);
    });
  }

  static void TurnHeads(const Turn& turn) {
    for (size_t head = 0; head < turn.count; ++head) {
      TurnHead(turn, turn.heads + head * turn.stride);
    }
  }
};

}  // namespace atelier::tensor

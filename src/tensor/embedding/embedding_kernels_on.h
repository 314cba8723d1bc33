// The kernels of word vectors on a vector type V. Included by one source per instruction set, which is compiled with
// that set's flags: so nothing here may be shared with other sources, and V names the instantiation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/embedding/embedding_kernels.h"
#include "tensor/kernels/exponentials_on.h"
#include "tensor/kernels/lanes_on.h"

namespace atelier::tensor {

template <class V>
struct EmbeddingKernelsOn {
  // R rows at once: so many sums that do not wait for each other.
  template <size_t R>
  static void ScoreRows(const RowScores& rows, size_t first) {
    const float* at[R];
    V sums[R];
    for (size_t r = 0; r < R; ++r) {
      at[r] = rows.table + static_cast<size_t>(rows.ids[first + r]) * rows.stride;
      sums[r] = V::Zero();
    }
    size_t k = 0;
    for (; k + V::kLanes <= rows.width; k += V::kLanes) {
      const V x = V::Load(rows.input + k);
      for (size_t r = 0; r < R; ++r) {
        sums[r] = V::MulAdd(x, V::Load(at[r] + k), sums[r]);
      }
    }
    if (k < rows.width) {
      const V x = V::LoadPart(rows.input + k, rows.width - k);
      for (size_t r = 0; r < R; ++r) {
        sums[r] = V::MulAdd(x, V::LoadPart(at[r] + k, rows.width - k), sums[r]);
      }
    }
    for (size_t r = 0; r < R; ++r) {
      rows.scores[first + r] = sums[r].Sum();
    }
  }

  // The rows after the next are fetched meanwhile: they lie anywhere.
  static void Score(const RowScores& rows) {
    constexpr size_t kAtOnce = 4;
    size_t i = 0;
    for (; i + kAtOnce <= rows.count; i += kAtOnce) {
      for (size_t next = i + kAtOnce; next < i + 2 * kAtOnce && next < rows.count; ++next) {
        const float* row = rows.table + static_cast<size_t>(rows.ids[next]) * rows.stride;
        for (size_t k = 0; k < rows.width; k += 16) {
          V::Prefetch(row + k);
        }
      }
      ScoreRows<kAtOnce>(rows, i);
    }
    for (; i < rows.count; ++i) {
      ScoreRows<1>(rows, i);
    }
  }

  static float Dot(const float* a, const float* b, size_t width) {
    LaneSum<V> sum;
    EachVector<V>(width, [&](auto whole, size_t i, size_t part) {
      sum.Add(part, V::Multiply(whole.Load(a + i), whole.Load(b + i)));
    });
    return sum.Total();
  }

  static void Mean(const float* table, size_t stride, std::span<const int32_t> ids, std::span<float> to) {
    const V share = V::Broadcast(1.0F / static_cast<float>(ids.size()));
    EachVector<V>(to.size(), [&](auto whole, size_t i, size_t) {
      V sum = V::Zero();
      for (const int32_t id : ids) {
        sum = V::Add(sum, whole.Load(table + static_cast<size_t>(id) * stride + i));
      }
      whole.Store(V::Multiply(sum, share), to.data() + i);
    });
  }

  static void Sigmoid(float* values, float factor, size_t count) {
    const V one = V::Broadcast(1);
    const V times = V::Broadcast(factor);
    EachVector<V>(count, [&](auto whole, size_t i, size_t) {
      const V power = ExponentialsOn<V>::Exp(V::Multiply(whole.Load(values + i), V::Broadcast(-1)));
      whole.Store(V::Divide(times, V::Add(power, one)), values + i);
    });
  }

  // T vectors of columns from `column` on; x and the error stay in registers while the targets pass.
  template <size_t T, class Access>
  static void StepColumns(const RowStep& step, size_t column, const Access& access) {
    const V share = V::Broadcast(1.0F / static_cast<float>(step.context_count));
    V x[T];
    V error[T];
    for (size_t t = 0; t < T; ++t) {
      V sum = V::Zero();
      for (size_t c = 0; c < step.context_count; ++c) {
        sum = V::Add(sum, access.Load(RowOf(step.inputs, step, step.contexts[c]) + column + t * V::kLanes));
      }
      x[t] = V::Multiply(sum, share);
      error[t] = V::Zero();
    }
    for (size_t i = 0; i < step.target_count; ++i) {
      const V gradient = V::Broadcast(step.gradients[i]);
      float* row = RowOf(step.outputs, step, step.targets[i]) + column;
      for (size_t t = 0; t < T; ++t) {
        const V output = access.Load(row + t * V::kLanes);
        error[t] = V::MulAdd(gradient, output, error[t]);
        access.Store(V::MulAdd(gradient, x[t], output), row + t * V::kLanes);
      }
    }
    for (size_t c = 0; c < step.context_count; ++c) {
      float* row = RowOf(step.inputs, step, step.contexts[c]) + column;
      for (size_t t = 0; t < T; ++t) {
        access.Store(V::Add(access.Load(row + t * V::kLanes), error[t]), row + t * V::kLanes);
      }
    }
  }

  static float* RowOf(float* table, const RowStep& step, int32_t id) {
    return table + static_cast<size_t>(id) * step.stride;
  }

  static void Step(const RowStep& step) {
    constexpr size_t kAtOnce = 4;
    const WholeVector<V> whole;
    size_t column = step.begin;
    for (; column + kAtOnce * V::kLanes <= step.end; column += kAtOnce * V::kLanes) {
      StepColumns<kAtOnce>(step, column, whole);
    }
    if (column + 2 * V::kLanes <= step.end) {
      StepColumns<2>(step, column, whole);
      column += 2 * V::kLanes;
    }
    if (column + V::kLanes <= step.end) {
      StepColumns<1>(step, column, whole);
      column += V::kLanes;
    }
    if (column < step.end) {
      StepColumns<1>(step, column, PartVector<V>{step.end - column});
    }
  }

  static V Clip(const V& value, const V& clip) {
    return V::Max(V::Min(value, clip), V::Multiply(clip, V::Broadcast(-1)));
  }

  static void Adagrad(const PairStep& step) {
    const V gradient = V::Broadcast(step.gradient);
    const V rate = V::Broadcast(step.rate);
    const V clip = V::Broadcast(step.clip);
    const V minus = V::Broadcast(-1);
    EachVector<V>(step.width, [&](auto whole, size_t i, size_t) {
      const V first = whole.Load(step.first + i);
      const V second = whole.Load(step.second + i);
      const V of_first = V::Multiply(Clip(V::Multiply(gradient, second), clip), rate);
      const V of_second = V::Multiply(Clip(V::Multiply(gradient, first), clip), rate);
      const V first_squares = whole.Load(step.first_squares + i);
      const V second_squares = whole.Load(step.second_squares + i);
      whole.Store(V::MulAdd(V::Divide(of_first, V::SquareRoot(first_squares)), minus, first), step.first + i);
      whole.Store(V::MulAdd(V::Divide(of_second, V::SquareRoot(second_squares)), minus, second), step.second + i);
      whole.Store(V::MulAdd(of_first, of_first, first_squares), step.first_squares + i);
      whole.Store(V::MulAdd(of_second, of_second, second_squares), step.second_squares + i);
    });
  }

  static constexpr EmbeddingKernels Table(std::string_view name) {
    return {.name = name,
            .score = &Score,
            .dot = &Dot,
            .mean = &Mean,
            .sigmoid = &Sigmoid,
            .step = &Step,
            .adagrad = &Adagrad};
  }
};

}  // namespace atelier::tensor

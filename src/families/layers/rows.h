// Loops over rows of floats, shared out among LibTorch's threads.
#pragma once

#include <torch/torch.h>

#include <algorithm>

namespace atelier::families::layers {

// Work is cut into so many parts, each with a sum of its own, so that sums do not depend on the number of threads.
inline constexpr int64_t kChunks = 16;

template <class Body>  // void(int64_t row)
void ForRows(int64_t rows, int64_t width, const Body& body) {
  at::parallel_for(0, rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, width)), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      body(row);
    }
  });
}

template <class Body>  // void(int64_t chunk, int64_t begin, int64_t end)
void ForChunks(int64_t rows, const Body& body) {
  at::parallel_for(0, kChunks, 1, [&](int64_t first, int64_t last) {
    for (int64_t chunk = first; chunk < last; ++chunk) {
      body(chunk, rows * chunk / kChunks, rows * (chunk + 1) / kChunks);
    }
  });
}

// The sum of value(i), i below `count`, in lanes that become vectors.
template <class Number, class Value>  // Number(int64_t i)
Number SumOf(int64_t count, const Value& value) {
  constexpr int64_t kLanes = 16;
  Number sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += value(i + lane);
    }
  }
  for (; i < count; ++i) {
    sums[i % kLanes] += value(i);
  }
  Number sum = 0;
  for (const Number part : sums) {
    sum += part;
  }
  return sum;
}

inline float Dot(const float* a, const float* b, int64_t count) {
  return SumOf<float>(count, [&](int64_t i) { return a[i] * b[i]; });
}

}  // namespace atelier::families::layers

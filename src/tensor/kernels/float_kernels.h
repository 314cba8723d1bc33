// Products of floats: one source on a vector type, compiled per instruction set, chosen when the program starts.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "tensor/quants/half.h"

namespace atelier::tensor {

// outputs[j][i] = sum over k of weights[i][k] * inputs[j][k]. Strides are in numbers; floats are aligned as such.
// W: float, StoredHalf or StoredBfloat16.
template <class W>
struct MatrixBlockOf {
  const W* weights = nullptr;  // [rows, width]
  size_t rows = 0;
  size_t weight_stride = 0;
  const float* inputs = nullptr;  // [count, width]
  size_t count = 0;
  size_t input_stride = 0;
  size_t width = 0;
  float* outputs = nullptr;  // [count, rows]
  size_t output_stride = 0;
};
using MatrixBlock = MatrixBlockOf<float>;

// scores[c][p] = sum over k of queries[c][k] * keys[k][p]: a page's keys lie with a position's numbers in a column.
struct ScoreBlock {
  const float* queries = nullptr;  // [count, width]
  size_t count = 0;
  size_t query_stride = 0;
  const float* keys = nullptr;  // [width, positions] with a stride between rows
  size_t key_stride = 0;
  size_t width = 0;
  size_t positions = 0;
  float* scores = nullptr;  // [count, positions]
  size_t score_stride = 0;
};

// sums[c][i] += sum over p of weights[c][p] * values[p][i], added position by position.
struct WeighBlock {
  const float* weights = nullptr;  // [count, positions]
  size_t count = 0;
  size_t weight_stride = 0;
  const float* values = nullptr;  // [positions, width], one behind the other
  size_t positions = 0;
  size_t width = 0;
  float* sums = nullptr;  // [count, width]
  size_t sum_stride = 0;
};

// Thread-safe, without state. The order in which the terms of one output are added depends on `width` alone, never on
// how many rows or inputs there are: an input's outputs are the same bits in whatever block it stands, and those of
// floats with the weights' values.
struct FloatKernels {
  std::string_view name;
  void (*multiply)(const MatrixBlock& block);
  void (*multiply_half)(const MatrixBlockOf<StoredHalf>& block);
  void (*multiply_bfloat16)(const MatrixBlockOf<StoredBfloat16>& block);
  void (*score)(const ScoreBlock& block);
  void (*weigh)(const WeighBlock& block);
  // values[i] = exp(values[i] - largest), to about 1e-7 of it; nothing below 2^-126.
  void (*exponentials)(float* values, float largest, size_t count);
  // values[i] = values[i] / (1 + exp(-values[i]))
  void (*silu)(float* values, size_t count);
};

const FloatKernels& ScalarKernels();
// All that this machine can run, the fastest last.
std::span<const FloatKernels* const> UsableFloatKernels();
inline const FloatKernels& BestFloatKernels() { return *UsableFloatKernels().back(); }

}  // namespace atelier::tensor

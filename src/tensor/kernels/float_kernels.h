// What is computed with floats: one source on a vector type, compiled per instruction set, chosen when the program
// starts.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "tensor/halves/half_panels.h"
#include "tensor/kernels/kv_format.h"

namespace atelier::tensor {

// outputs[j][i] = sum over k of weights[i][k] * inputs[j][k]. Strides are in numbers; floats are aligned as such.
struct MatrixBlock {
  const float* weights = nullptr;  // [rows, width]
  size_t rows = 0;
  size_t weight_stride = 0;
  const float* inputs = nullptr;  // [count, width]
  size_t count = 0;
  size_t input_stride = 0;
  size_t width = 0;
  float* outputs = nullptr;  // [count, rows]
  size_t output_stride = 0;
};

// Positions one behind the other in pages of a KvFormat, aligned as floats are.
struct PageRun {
  const std::byte* const* pages = nullptr;  // one head's keys or values in each
  size_t page_positions = 0;
  size_t first = 0;  // within the first page
  size_t positions = 0;
  const std::byte* next = nullptr;  // the page that is read after these, if known: it is fetched beforehand
};

// scores[c][p] = sum over k of queries[c][k] * keys[p][k].
struct ScoreBlock {
  const float* queries = nullptr;  // [count, width]
  size_t count = 0;
  size_t query_stride = 0;
  PageRun keys;
  size_t width = 0;
  float* scores = nullptr;  // [count, positions]
  size_t score_stride = 0;
};

// sums[c][i] += sum over p of weights[c][p] * values[p][i], added position by position.
struct WeighBlock {
  const float* weights = nullptr;  // [count, positions]
  size_t count = 0;
  size_t weight_stride = 0;
  PageRun values;
  size_t width = 0;
  float* sums = nullptr;  // [count, width]
  size_t sum_stride = 0;
};

// One position's keys or values of one head, and where they go.
struct KvPlace {
  std::byte* page = nullptr;
  size_t page_positions = 0;
  size_t position = 0;             // within the page
  const float* numbers = nullptr;  // [width]
  size_t width = 0;
};

// Of one KvFormat. What does not fit an F16 becomes the largest that does.
struct KvKernels {
  void (*store_keys)(const KvPlace& place);
  void (*store_values)(const KvPlace& place);
  void (*score)(const ScoreBlock& block);
  void (*weigh)(const WeighBlock& block);
};

// Of the part of a softmax that some scores are.
struct Softened {
  float largest;  // score
  float sum;      // of exp(score - largest)
};

// to = norm(from) * weight + bias, where norm divides by the root of the mean square, having first taken off the mean
// if `centred`. With `sum`, sum = from + added comes first and is what is normalised. `to` and `sum` may be `from`.
struct NormRow {
  const float* from = nullptr;   // [count]
  const float* added = nullptr;  // [count]
  float* sum = nullptr;          // [count], or nullptr
  const float* weight = nullptr;
  const float* bias = nullptr;  // or nullptr
  size_t count = 0;
  double epsilon = 0;
  bool centred = false;
  float* to = nullptr;
};

// x[i] = x[i] * cosines[i] + x[partner of i] * sines[i] for the first `dimensions` of each head; the partner is the
// neighbour (0 and 1, 2 and 3 ...) or else in the other half.
struct Turn {
  float* heads = nullptr;  // [count, stride]
  size_t count = 0;
  size_t stride = 0;
  const float* cosines = nullptr;  // [dimensions]
  const float* sines = nullptr;    // [dimensions]
  size_t dimensions = 0;           // even
  bool neighbours = false;
};

// to[i] (unless it is nullptr) = exp(scale * (from[i] - largest)), for finite numbers or -infinity, none above
// `largest`, and 0 < scale <= the largest float.
struct ExponentialRow {
  const float* from = nullptr;  // [count]
  size_t count = 0;
  float largest = 0;
  float scale = 1;
  float* to = nullptr;  // [count]
};

// Thread-safe, without state. The order in which the terms of one output are added depends on its own row's width
// alone, never on how many rows or inputs there are: an input's outputs are the same bits in whatever block it stands.
struct FloatKernels {
  std::string_view name;
  void (*multiply)(const MatrixBlock& block);
  // What the weights would give as floats, the terms of an output added column by column.
  size_t half_panel_rows;
  void (*multiply_half)(const HalfBlock& block);
  void (*multiply_bfloat16)(const HalfBlock& block);
  KvKernels attention[kKvFormats];
  // scores become exp(score - the largest); at least one.
  Softened (*soften)(float* scores, size_t count);
  // values = act(values) * up, or act(values) where `up` is nullptr.
  void (*silu)(float* values, const float* up, size_t count);
  void (*gelu)(float* values, const float* up, size_t count);  // in its tanh form
  void (*relu)(float* values, const float* up, size_t count);
  // values = cap * tanh(values / cap)
  void (*soft_cap)(float* values, float cap, size_t count);
  // to = to * kept + from * share
  void (*mix)(float* to, float kept, const float* from, float share, size_t count);
  void (*normalise)(const NormRow& row);
  void (*turn)(const Turn& turn);
  // Returns the sum. The same bits on every instruction set. Relative error of a number about 1e-7, and that of
  // rounding the argument; what is less than exp(-87) becomes 0.
  double (*exponentials)(const ExponentialRow& row);
};

const FloatKernels& ScalarKernels();
// All that this machine can run, the fastest last.
std::span<const FloatKernels* const> UsableFloatKernels();
inline const FloatKernels& BestFloatKernels() { return *UsableFloatKernels().back(); }

}  // namespace atelier::tensor

// What learning word vectors computes: one source on a vector type, compiled per instruction set, chosen when the
// program starts. Rows of a table begin `stride` floats apart; a width is a multiple of kRowPadding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace atelier::tensor {

inline constexpr size_t kRowPadding = 8;

// scores[i] = sum over k of input[k] * table[ids[i]][k].
struct RowScores {
  const float* input = nullptr;  // [width]
  const float* table = nullptr;  // [rows, stride]
  size_t stride = 0;
  const int32_t* ids = nullptr;  // [count]
  size_t count = 0;
  size_t width = 0;
  float* scores = nullptr;  // [count]
};

// One example of word2vec in the columns from `begin` to `end`, both multiples of kRowPadding: x is the mean of the
// context's rows; for each target in turn, error += gradient * its row, then its row += gradient * x; at the end each
// row of the context += error.
struct RowStep {
  float* inputs = nullptr;            // [rows, stride]
  const int32_t* contexts = nullptr;  // [context_count], at least one
  size_t context_count = 0;
  float* outputs = nullptr;          // [rows, stride]
  const int32_t* targets = nullptr;  // [target_count]
  const float* gradients = nullptr;  // [target_count]
  size_t target_count = 0;
  size_t stride = 0;
  size_t begin = 0;
  size_t end = 0;
};

// One AdaGrad step of two rows whose product is off by `gradient`: the gradient of one is gradient * the other, at most
// `clip` in magnitude; with s = rate * gradient, row -= s / sqrt(squares), then squares += s * s.
struct PairStep {
  float* first = nullptr;           // [width]
  float* first_squares = nullptr;   // [width]
  float* second = nullptr;          // [width]
  float* second_squares = nullptr;  // [width]
  size_t width = 0;
  float gradient = 0;
  float rate = 0;
  float clip = 0;
};

// Thread-safe, without state.
struct EmbeddingKernels {
  std::string_view name;
  void (*score)(const RowScores& rows);
  float (*dot)(const float* a, const float* b, size_t width);
  // to = the mean of the rows that the ids name, at least one.
  void (*mean)(const float* table, size_t stride, std::span<const int32_t> ids, std::span<float> to);
  // values = factor / (1 + exp(-values))
  void (*sigmoid)(float* values, float factor, size_t count);
  void (*step)(const RowStep& step);
  void (*adagrad)(const PairStep& step);
};

// All that this machine can run, the fastest last.
std::span<const EmbeddingKernels* const> UsableEmbeddingKernels();
inline const EmbeddingKernels& BestEmbeddingKernels() { return *UsableEmbeddingKernels().back(); }

}  // namespace atelier::tensor

// The tensors of one model by the role that they play, every shape checked against the configuration.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/model_config.h"
#include "tensor/gguf.h"

namespace atelier::engine {

// A matrix as it lies in the file, borrowed; rows are outputs. Empty where a model has none.
struct Matrix {
  std::string name;
  tensor::GgmlType type = tensor::GgmlType::kF32;
  size_t rows = 0;
  size_t columns = 0;
  size_t row_bytes = 0;
  std::span<const std::byte> bytes;   // [rows, columns]
  const std::byte* panels = nullptr;  // the same packed (packing.h), or nullptr; borrowed, too

  bool present() const { return rows > 0; }
  std::span<const std::byte> Rows(size_t first, size_t count) const {
    return bytes.subspan(first * row_bytes, count * row_bytes);
  }
};

struct Linear {
  Matrix weight;
  std::vector<float> bias;  // [rows], or empty
};

struct NormWeights {
  std::vector<float> weight;  // empty where a model has no such norm
  std::vector<float> bias;    // empty where it has none

  bool present() const { return !weight.empty(); }
};

struct LayerWeights {
  NormWeights attention_norm;           // of the input
  NormWeights attention_second_norm;    // see SecondNorm
  NormWeights attention_after_norm;     // of the output, before it is added
  NormWeights attention_residual_norm;  // of the sum
  Linear query_key_value;               // either this or the three
  Linear query, key, value;
  NormWeights query_norm, key_norm;
  Linear attention_output;

  NormWeights cross_norm;  // of what attends to an encoder's output
  Linear cross_query, cross_key, cross_value, cross_output;

  NormWeights feed_forward_norm;
  NormWeights feed_forward_after_norm;
  NormWeights feed_forward_residual_norm;
  bool parallel = false;    // the feed-forward network reads the norm that attention reads
  bool fused_gate = false;  // `up` is gate and up, one behind the other
  Linear gate, up, down;    // gate may be absent
  Matrix router;            // [experts, width]; present: the three below are, the three above are not
  std::vector<Matrix> expert_gates, expert_ups, expert_downs;
};

struct Weights {
  Matrix token_embedding;             // [vocabulary, width]
  Matrix position_embedding;          // [context, width]
  std::vector<float> type_embedding;  // of type 0, [width]
  NormWeights embedding_norm;
  std::vector<LayerWeights> layers;
  NormWeights output_norm;
  std::vector<float> relative_bias;       // [buckets, heads], or empty
  Linear head;                            // may be the token embeddings
  std::vector<float> rope_factors;        // frequencies are divided by them, [rope dimensions / 2]; empty: ones
  std::vector<float> rope_factors_long;   // instead, if the context is longer than the original one
  std::vector<float> rope_factors_short;  // instead, if it is not
  Linear classifier;                      // of encoders that rank or classify
  Linear classifier_output;
};

// Borrows from the file. Errors: kInvalidArgument "invalid_model_file" naming the tensor that is missing or of another
// shape; kUnimplemented "unsupported_model" naming a tensor that this architecture has no use for.
struct LoadedWeights {
  Weights weights;
  Weights encoder;  // without layers where there is none
};
Result<LoadedWeights> LoadWeights(const tensor::GgufFile& file, const ModelConfig& config,
                                  const ModelConfig* encoder = nullptr);

}  // namespace atelier::engine

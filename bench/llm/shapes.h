// The shapes of models that people run, as rows of data, and what their GGUF files hold but for the weights themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/gguf_writer.h"

namespace atelier::bench {

struct Shape {
  std::string_view name;
  std::string_view architecture;   // GGUF's
  std::string_view pre_tokenizer;  // tokenizer.ggml.pre
  int64_t layers;
  int64_t width;
  int64_t feed_forward;  // of one expert, where there are any
  int64_t heads;
  int64_t kv_heads;
  int64_t head_size;
  int64_t vocabulary;
  int64_t context;
  double rope_base;
  double norm_epsilon;
  bool query_key_value_bias = false;
  bool query_key_norm = false;
  bool llama3_rope = false;  // frequencies divided as those of Llama 3.2
  int64_t experts = 0;
  int64_t experts_used = 0;
  // Deviation of the attention's output matrices. 0: the next token depends on the last one alone, so
  // that a long greedy text ends in a cycle and repeats itself word by word.
  double attention_deviation = 0.02;
};

std::span<const Shape> Shapes();
// A row of the table; "NAME-repeating" is one whose greedy texts repeat themselves.
std::optional<Shape> FindShape(std::string_view name);

enum class Filling { kOnes, kNormal, kRopeFactors };

struct TensorToMake {
  tensor::GgufPlan plan;
  Filling filling = Filling::kNormal;
  double deviation = 0.02;
};

// BF16 matrices, F32 vectors and routers. The output matrix is the token embedding.
std::vector<TensorToMake> TensorsOf(const Shape& shape);
// Sizes of the architecture; nothing of the tokeniser.
tensor::GgufMetadata MetadataOf(const Shape& shape);
// "rope_freqs.weight" of Llama 3.2, [head_size / 2]
// (https://github.com/meta-llama/llama-models/blob/main/models/llama3/model.py, apply_scaling).
std::vector<float> Llama3RopeFactors(const Shape& shape);

}  // namespace atelier::bench

// What a GPT is: the numbers of config.json of LlamaForCausalLM and GPT2LMHeadModel
// (https://github.com/huggingface/transformers: configuration_llama.py, configuration_gpt2.py).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace atelier::families::gpt {

enum class Kind : uint8_t {
  kLlama,  // Touvron et al., arXiv:2302.13971: RMS norms, rotated queries and keys, SwiGLU, no biases
  kGpt2,   // Radford et al. 2019: layer norms, learnt positions, gelu, biases
};

std::string_view Name(Kind kind);  // "llama" | "gpt2", model_type of config.json

struct Shape {
  Kind kind = Kind::kLlama;
  int64_t vocabulary = 0;
  int64_t width = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;  // kGpt2: heads
  int64_t head = 0;
  int64_t hidden = 0;
  int64_t context = 0;
  double rope_base = 10000;  // kLlama
  double epsilon = 1e-5;
  bool tied = true;  // the output's matrix is that of the token embeddings

  bool operator==(const Shape&) const = default;
};

inline constexpr int64_t kMaxWidth = 65536;
inline constexpr int64_t kMaxBlocks = 1024;
inline constexpr int64_t kMaxContext = int64_t{1} << 20;

// Errors: kInvalidArgument "invalid_model_file", naming the key of config.json (missing, out of range, heads that do
// not fit); kUnimplemented "unsupported_model" (another model_type, scaled rotation, biases of Llama, another
// activation).
Result<Shape> ShapeFromConfig(const json::object& config);
Status CheckShape(const Shape& shape);

// config.json, without the ids of special tokens.
json::object ToConfig(const Shape& shape);

int64_t ParametersOf(const Shape& shape);

}  // namespace atelier::families::gpt

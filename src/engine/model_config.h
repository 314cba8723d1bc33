// The numbers of one model, read from its file's metadata, every one in a range that the engine can run.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "engine/architectures.h"
#include "tensor/gguf.h"

namespace atelier::engine {

enum class RopeScaling { kNone, kLinear, kYarn };

struct RopeConfig {
  int64_t dimensions = 0;  // of each head that are rotated
  double base = 10000.0;
  RopeScaling scaling = RopeScaling::kNone;
  double factor = 1.0;            // positions are divided by it
  int64_t original_context = 0;   // positions before scaling
  double attention_factor = 1.0;  // cosines and sines are multiplied by it
  double beta_fast = 32.0;        // YaRN, https://arxiv.org/abs/2309.00071
  double beta_slow = 1.0;
};

// GGUF's values of `pooling_type`.
enum class Pooling { kNone = 0, kMean = 1, kFirst = 2, kLast = 3, kRank = 4 };

struct ModelConfig {
  const Architecture* architecture = nullptr;  // static
  std::string name;                            // general.name; may be empty
  int64_t vocabulary = 0;                      // rows of token_embd.weight
  int64_t context = 0;                         // positions that it was made for
  int64_t width = 0;                           // of what flows from layer to layer
  int64_t layers = 0;
  int64_t feed_forward = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t key_size = 0;    // of a head
  int64_t value_size = 0;  // of a head
  double norm_epsilon = 0;
  RopeConfig rope;
  int64_t window = 0;        // of layers that have one; 0: none
  double attention_cap = 0;  // 0: none
  double logit_cap = 0;      // 0: none
  double query_scale = 0;
  int64_t relative_buckets = 0;  // 0: no relative bias
  double alibi_bias = 0;         // 0: none
  int64_t experts = 0;           // 0: none
  int64_t experts_used = 0;
  int64_t expert_feed_forward = 0;
  bool causal = true;
  Pooling pooling = Pooling::kNone;

  bool Windowed(int64_t layer) const;  // sees `window` positions only
  int64_t query_width() const { return heads * key_size; }
  int64_t key_width() const { return kv_heads * key_size; }
  int64_t value_width() const { return kv_heads * value_size; }
};

// Errors: kUnimplemented "unsupported_architecture", or naming a key whose value the engine cannot run;
// kInvalidArgument "invalid_model_file" naming the key that is missing, of the wrong kind or out of range.
Result<ModelConfig> ReadModelConfig(const tensor::GgufFile& file);

// The encoder of the same file, where `decoder` has one. Errors: as above.
Result<ModelConfig> ReadEncoderConfig(const tensor::GgufFile& file, const ModelConfig& decoder);

}  // namespace atelier::engine

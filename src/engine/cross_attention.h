// Attention of a decoder to an encoder's output, whose keys and values are computed once a text.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/attention.h"
#include "engine/model_config.h"
#include "engine/products.h"
#include "engine/weights.h"

namespace atelier::engine {

// An encoded text as a decoder's layers see it. Immutable once made.
struct CrossMemory {
  struct Layer {
    std::vector<float> keys;    // [kv_heads, positions, key_size]
    std::vector<float> values;  // [kv_heads, positions, value_size]
  };
  size_t positions = 0;
  std::vector<Layer> layers;
};

// For one calling thread.
class CrossAttention {
 public:
  CrossAttention(const ModelConfig& config, ThreadPool& threads, const tensor::FloatKernels& kernels)
      : config_(config), threads_(threads), kernels_(kernels), scores_(threads.threads()) {}

  // The memory of an encoder's output: [positions, width].
  CrossMemory Remember(const Weights& weights, Products& products, std::span<const float> encoded) const;

  // Each row attends to all positions of its sequence's memory.
  void Run(const AttentionInput& input);

 private:
  void RunHead(const AttentionInput& input, size_t row, size_t head, std::vector<float>& scores) const;

  const ModelConfig& config_;
  ThreadPool& threads_;
  const tensor::FloatKernels& kernels_;
  std::vector<std::vector<float>> scores_;  // by thread
};

}  // namespace atelier::engine

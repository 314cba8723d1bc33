// The feed-forward half of a layer: dense, gated, or of experts chosen token by token (Shazeer et al. 2017,
// https://arxiv.org/abs/1701.06538; Mixtral, https://arxiv.org/abs/2401.04088).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/model_config.h"
#include "engine/products.h"
#include "engine/thread_pool.h"
#include "engine/weights.h"

namespace atelier::engine {

// For one calling thread.
class FeedForward {
 public:
  FeedForward(const ModelConfig& config, ThreadPool& threads, const tensor::FloatKernels& kernels, Products& products)
      : config_(config), threads_(threads), kernels_(kernels), products_(products) {}

  // [rows, width] both; `adapted`: of the rows.
  void Run(const LayerWeights& layer, size_t rows, std::span<const AdaptedRows> adapted, const float* inputs,
           float* outputs);

 private:
  struct Choice {
    size_t expert;
    float weight;
    size_t slot;  // its row among all rows of experts
  };

  void RunDense(const LayerWeights& layer, size_t rows, std::span<const AdaptedRows> adapted, const float* inputs,
                float* outputs);
  void RunExperts(const LayerWeights& layer, size_t rows, const float* inputs, float* outputs);
  // The experts of each row: those of the largest probability, the first of equals; their weights sum to one.
  void Choose(const LayerWeights& layer, size_t rows, const float* inputs);
  // Gives each choice its slot, the slots of one expert side by side; returns where each expert's begin, and the end.
  std::vector<size_t> AssignSlots(size_t rows);

  const ModelConfig& config_;
  ThreadPool& threads_;
  const tensor::FloatKernels& kernels_;
  Products& products_;
  std::vector<float> hidden_;         // [rows, gate and up]
  std::vector<float> router_;         // [rows, experts]
  std::vector<Choice> choices_;       // [rows, experts used]
  std::vector<float> slot_inputs_;    // [slots, width]
  std::vector<float> slot_outputs_;   // [slots, width]
  std::vector<Product> expert_work_;  // of one pass over the experts
};

}  // namespace atelier::engine

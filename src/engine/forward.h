// The transformer: a ragged batch of tokens through all layers.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/attention.h"
#include "engine/cross_attention.h"
#include "engine/feed_forward.h"
#include "engine/kv_cache.h"
#include "engine/model_config.h"
#include "engine/products.h"
#include "engine/rope.h"
#include "engine/step.h"
#include "engine/thread_pool.h"
#include "engine/weights.h"

namespace atelier::engine {

// What a forward pass uses; borrowed.
struct ForwardParts {
  const ModelConfig& config;
  const Weights& weights;
  KvCache& cache;
  ThreadPool& threads;
  const tensor::FloatKernels& kernels;
};

// For one calling thread. Every row's result is the same bits whatever other rows there are and however a sequence's
// tokens are cut into steps.
class Forward {
 public:
  // `context`: the longest sequence that will be run.
  Forward(const ForwardParts& parts, int64_t context);

  // The items are valid and their sequences have pages for their tokens; sequences do not grow by this.
  void Run(std::span<const StepItem> items, StepOutput& output);

  // What an encoder's output, [positions, width], is to the layers of this decoder.
  CrossMemory Remember(std::span<const float> encoded) {
    return cross_attention_.Remember(weights_, products_, encoded);
  }

 private:
  void Plan(std::span<const StepItem> items);
  void Embed();
  void RunLayer(size_t layer);
  void Attend(size_t layer, const float* inputs);
  void AttendToEncoder(size_t layer);
  // The product of attended_ into block_.
  void ProjectAttended(const Linear& output);
  bool OwnInput(const LayerWeights& layer) const;
  // What the layer's products read, where it has a norm; nothing behind the last layer.
  void NormInput(size_t layer, size_t row);
  // Norms, turns and stores one row's queries, keys and values.
  void PrepareRow(size_t layer, size_t row);
  void NormHeads(const LayerWeights& layer, float* queries, float* keys) const;
  void StoreRow(size_t layer, const BatchRow& row, const float* keys, const float* values);
  // Adds block_ to hidden_ as the layer's norms have it.
  void AddAttention(const LayerWeights& layer, size_t row);
  void AddFeedForward(const LayerWeights& layer, size_t row);
  tensor::NormRow Norm(const NormWeights& norm, const float* from, float* to) const;
  void NormRow(const NormWeights& norm, const float* from, float* to) const;
  // hidden += block, then the norm of that where there is one.
  void AddAndNorm(const NormWeights& norm, float* hidden, const float* block, float* to) const;
  // body(row), on this thread alone where there is little to share.
  template <class Body>
  void EachRow(const Body& body);
  void Finish(std::span<const StepItem> items, StepOutput& output);

  const ModelConfig& config_;
  const Weights& weights_;
  KvCache& cache_;
  ThreadPool& threads_;
  const tensor::FloatKernels& kernels_;
  RopeTable global_rope_;
  RopeTable local_rope_;
  Products products_;
  Attention attention_;
  CrossAttention cross_attention_;
  FeedForward feed_forward_;
  size_t width_;
  size_t projected_width_;  // of queries, keys and values together

  std::vector<BatchRow> rows_;
  std::vector<AdaptedRows> adapted_;       // of the rows
  std::vector<AdaptedRows> adapted_last_;  // of those in last_
  std::vector<float> hidden_;              // [rows, width]
  std::vector<float> normed_;              // [rows, width]
  std::vector<float> second_normed_;       // [rows, width]
  std::vector<float> block_;               // [rows, width]: what attention or the feed-forward network gave
  std::vector<float> other_block_;         // [rows, width]: the latter where both read one norm
  std::vector<float> projected_;           // [rows, queries and keys and values]
  std::vector<float> attended_;            // [rows, heads * value_size]
  std::vector<float> global_angles_;       // [rows, 2, rope dimensions]
  std::vector<float> local_angles_;        // [rows, 2, rope dimensions]
  std::vector<float> last_;                // [rows asked for, width]
  std::vector<float> scratch_;
};

}  // namespace atelier::engine

// Attention of rows of a ragged batch over the keys and values in the cache (Vaswani et al. 2017,
// https://arxiv.org/abs/1706.03762; grouped queries: Ainslie et al. 2023, https://arxiv.org/abs/2305.13245).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/kv_cache.h"
#include "engine/model_config.h"
#include "engine/thread_pool.h"
#include "tensor/kernels/float_kernels.h"

namespace atelier::engine {

// One token of the batch.
struct BatchRow {
  const Sequence* sequence = nullptr;
  int32_t token = 0;
  size_t position = 0;
  size_t length = 0;  // of the sequence with all tokens of this step
};

struct AttentionInput {
  std::span<const BatchRow> rows;
  size_t layer = 0;
  const float* queries = nullptr;  // [rows, heads, key_size] with a stride between rows
  size_t query_stride = 0;
  float* outputs = nullptr;  // [rows, heads, value_size]
};

// For one calling thread.
class Attention {
 public:
  // `relative_bias`: [buckets, heads] or empty; borrowed.
  Attention(const ModelConfig& config, std::span<const float> relative_bias, KvCache& cache, ThreadPool& threads,
            const tensor::FloatKernels& kernels);

  // Each row attends to the positions of its sequence that it may see, whose keys and values are in the cache.
  void Run(const AttentionInput& input);

 private:
  struct Span {  // of positions
    size_t begin;
    size_t end;
  };

  Span Visible(const BatchRow& row, size_t layer) const;
  // The query heads of one key head.
  void RunGroup(const AttentionInput& input, size_t row, size_t kv_head, size_t thread);
  void Score(const AttentionInput& input, size_t row, size_t kv_head, float* scores) const;
  void Weigh(const AttentionInput& input, size_t row, size_t kv_head, const float* weights) const;
  // body(page, first position within it, positions, their place in the span), page by page.
  template <class Body>
  void EachPage(const BatchRow& place, const Span& span, const Body& body) const;
  void Shape(const BatchRow& row, const Span& span, size_t head, float* scores) const;

  void AddRelativeBias(const BatchRow& row, const Span& span, size_t head, float* scores) const;

  const ModelConfig& config_;
  std::span<const float> relative_bias_;
  KvCache& cache_;
  ThreadPool& threads_;
  const tensor::FloatKernels& kernels_;
  std::vector<float> slopes_;               // ALiBi's, [heads] or empty
  std::vector<std::vector<float>> scores_;  // by thread: [group, visible positions]
  std::vector<std::vector<float>> sums_;    // by thread: [group]
};

}  // namespace atelier::engine

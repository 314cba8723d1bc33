// Attention of rows of a ragged batch over the keys and values in the cache (Vaswani et al. 2017,
// https://arxiv.org/abs/1706.03762; grouped queries: Ainslie et al. 2023, https://arxiv.org/abs/2305.13245).
//
// Positions are taken in blocks that begin at fixed positions: each block's softmax and weighted values are computed by
// themselves, then put together from the first block on (the online softmax of Milakov and Gimelshein 2018,
// https://arxiv.org/abs/1805.02867; Dao et al. 2022, https://arxiv.org/abs/2205.14135). So several rows of a sequence
// can share each block while it is in a core's cache, and threads can share one row's blocks, without a bit of
// difference.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "engine/kv_cache.h"
#include "engine/model_config.h"
#include "engine/position_bias.h"
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
  std::span<const BatchRow> rows;  // those of a sequence side by side
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
  struct Tile {  // rows of one sequence
    size_t first_row;
    size_t rows;
    Span seen;           // by any of them
    size_t first_query;  // in shared_, where blocks are computed apart
  };
  // Of some queries: their softmax over some positions, and the values weighted by it (not divided by its sum).
  struct Part {
    tensor::Softened* softened;  // [queries]
    float* sums;                 // [queries, value_size]
  };
  struct PartMemory {
    std::vector<tensor::Softened> softened;
    std::vector<float> sums;

    void Grow(size_t queries, size_t value_size);
    Part At(size_t query, size_t value_size) { return {softened.data() + query, sums.data() + query * value_size}; }
  };
  struct Scratch {               // of a thread
    std::vector<float> queries;  // [queries of a tile, key_size]
    std::vector<float> scores;   // [queries of a tile, positions of a block]
    PartMemory block;
    PartMemory all;
    std::vector<const std::byte*> keys;    // pages of a block
    std::vector<const std::byte*> values;  // the same
    const std::byte* next_keys = nullptr;  // the first page of the block behind it
  };
  // The queries of a tile that share a key head.
  struct Work {
    const AttentionInput& input;
    const Tile& tile;
    size_t kv_head;
    size_t queries;
    Scratch& scratch;
  };

  void Plan(const AttentionInput& input);
  Work MakeWork(const AttentionInput& input, size_t tile, size_t kv_head, size_t thread);
  Span Visible(const BatchRow& row, size_t layer) const;
  static Span Common(const Span& a, const Span& b) { return {std::max(a.begin, b.begin), std::min(a.end, b.end)}; }
  static size_t Blocks(const Tile& tile);
  // One of the equal shares of the blocks.
  void RunShare(const Work& work, size_t share);
  void LoadQueries(const Work& work) const;
  void RunBlock(const Work& work, size_t block, const Part& part);
  void ListPages(const Work& work, const Span& span);
  void Soften(const Work& work, const Span& span, const Part& part) const;
  void Weigh(const Work& work, const Span& span, const Part& part) const;
  // Some queries' values at some of the positions of a block.
  void WeighSome(const Work& work, const Span& block, const Span& some, Span queries, const Part& part) const;
  Part Nothing(const Work& work) const;
  // Adds a part to all before it, of which there may be none.
  void Join(const Part& part, size_t queries, const Part& all) const;
  void Finish(const Work& work, const Part& all) const;

  const ModelConfig& config_;
  KvCache& cache_;
  ThreadPool& threads_;
  const tensor::FloatKernels& kernels_;
  const tensor::KvKernels& kv_kernels_;
  PositionBias bias_;
  size_t group_;  // query heads of a key head
  size_t key_size_;
  size_t value_size_;
  std::vector<Scratch> scratch_;  // by thread
  std::vector<Tile> tiles_;
  size_t shares_ = 1;  // in which the blocks of each tile are computed
  PartMemory shared_;  // [tiles, key heads, blocks, queries] where there are several
};

}  // namespace atelier::engine

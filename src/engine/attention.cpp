#include "engine/attention.h"

#include <algorithm>
#include <cmath>

namespace atelier::engine {
namespace {

constexpr size_t kBlock = 128;        // positions
constexpr size_t kTileQueries = 32;   // or one row's
constexpr size_t kShareBlocks = 4;    // at least, in a thread's share of a row
constexpr size_t kTasksOfThread = 4;  // so that threads end together

void Grow(std::vector<float>& buffer, size_t floats) {
  if (buffer.size() < floats) {
    buffer.resize(floats);
  }
}

}  // namespace

void Attention::PartMemory::Grow(size_t queries, size_t value_size) {
  if (softened.size() < queries) {
    softened.resize(queries);
    sums.resize(queries * value_size);
  }
}

Attention::Attention(const ModelConfig& config, std::span<const float> relative_bias, KvCache& cache,
                     ThreadPool& threads, const tensor::FloatKernels& kernels)
    : config_(config),
      cache_(cache),
      threads_(threads),
      kernels_(kernels),
      kv_kernels_(kernels.attention[static_cast<size_t>(cache.geometry().format)]),
      bias_(config, relative_bias),
      group_(static_cast<size_t>(config.heads / config.kv_heads)),
      key_size_(static_cast<size_t>(config.key_size)),
      value_size_(static_cast<size_t>(config.value_size)),
      scratch_(threads.threads()) {}

void Attention::Run(const AttentionInput& input) {
  Plan(input);
  const auto kv_heads = static_cast<size_t>(config_.kv_heads);
  const size_t heads = tiles_.size() * kv_heads;
  // The last tiles see most.
  threads_.ForEach(heads * shares_, [&](size_t index, size_t thread) {
    const size_t task = heads * shares_ - 1 - index;
    const size_t head = task / shares_;
    RunShare(MakeWork(input, head / kv_heads, head % kv_heads, thread), task % shares_);
  });
  if (shares_ == 1) {
    return;
  }
  threads_.ForEach(heads, [&](size_t head, size_t thread) {
    const Work work = MakeWork(input, head / kv_heads, head % kv_heads, thread);
    const Part all = Nothing(work);
    const size_t blocks = Blocks(work.tile);
    for (size_t block = 0; block < blocks; ++block) {
      const size_t query = work.tile.first_query + (work.kv_head * blocks + block) * work.queries;
      Join(shared_.At(query, value_size_), work.queries, all);
    }
    Finish(work, all);
  });
}

void Attention::Plan(const AttentionInput& input) {
  const auto kv_heads = static_cast<size_t>(config_.kv_heads);
  const size_t most_rows = std::max<size_t>(1, kTileQueries / group_);
  tiles_.clear();
  size_t queries = 0;
  size_t most_blocks = 0;
  for (size_t row = 0; row < input.rows.size(); ++row) {
    const BatchRow& place = input.rows[row];
    const Span seen = Visible(place, input.layer);
    if (tiles_.empty() || tiles_.back().rows == most_rows ||
        input.rows[tiles_.back().first_row].sequence != place.sequence) {
      tiles_.push_back({row, 0, seen, 0});
    }
    Tile& tile = tiles_.back();
    ++tile.rows;
    tile.seen = {std::min(tile.seen.begin, seen.begin), std::max(tile.seen.end, seen.end)};
  }
  for (Tile& tile : tiles_) {
    tile.first_query = queries;
    queries += kv_heads * Blocks(tile) * tile.rows * group_;
    most_blocks = std::max(most_blocks, Blocks(tile));
  }
  const size_t wanted = threads_.threads() == 1 ? 1 : kTasksOfThread * threads_.threads() / (tiles_.size() * kv_heads);
  shares_ = std::clamp<size_t>(wanted, 1, std::max<size_t>(1, most_blocks / kShareBlocks));
  if (shares_ > 1) {
    shared_.Grow(queries, value_size_);
  }
}

Attention::Work Attention::MakeWork(const AttentionInput& input, size_t tile, size_t kv_head, size_t thread) {
  Scratch& scratch = scratch_[thread];
  const size_t queries = tiles_[tile].rows * group_;
  Grow(scratch.queries, queries * key_size_);
  Grow(scratch.scores, queries * kBlock);
  scratch.block.Grow(queries, value_size_);
  scratch.all.Grow(queries, value_size_);
  return {input, tiles_[tile], kv_head, queries, scratch};
}

Attention::Span Attention::Visible(const BatchRow& row, size_t layer) const {
  const size_t end = config_.causal ? row.position + 1 : row.length;
  const auto window = static_cast<size_t>(config_.window);
  const bool windowed = config_.Windowed(static_cast<int64_t>(layer)) && row.position + 1 > window;
  return {windowed ? row.position + 1 - window : 0, end};
}

size_t Attention::Blocks(const Tile& tile) { return (tile.seen.end + kBlock - 1) / kBlock - tile.seen.begin / kBlock; }

void Attention::RunShare(const Work& work, size_t share) {
  LoadQueries(work);
  const size_t blocks = Blocks(work.tile);
  const size_t first = work.tile.seen.begin / kBlock;
  const Part all = Nothing(work);
  for (size_t block = blocks * share / shares_; block < blocks * (share + 1) / shares_; ++block) {
    if (shares_ > 1) {
      const size_t query = work.tile.first_query + (work.kv_head * blocks + block) * work.queries;
      RunBlock(work, first + block, shared_.At(query, value_size_));
    } else {
      const Part part = work.scratch.block.At(0, value_size_);
      RunBlock(work, first + block, part);
      Join(part, work.queries, all);
    }
  }
  if (shares_ == 1) {
    Finish(work, all);
  }
}

// Scaled, one behind the other: those of the first row, then of the second ...
void Attention::LoadQueries(const Work& work) const {
  const auto scale = static_cast<float>(config_.query_scale);
  float* to = work.scratch.queries.data();
  for (size_t row = 0; row < work.tile.rows; ++row) {
    const float* from =
        work.input.queries + (work.tile.first_row + row) * work.input.query_stride + work.kv_head * group_ * key_size_;
    to = std::transform(from, from + group_ * key_size_, to, [&](float x) { return x * scale; });
  }
}

void Attention::RunBlock(const Work& work, size_t block, const Part& part) {
  const Span span{std::max(work.tile.seen.begin, block * kBlock), std::min(work.tile.seen.end, (block + 1) * kBlock)};
  ListPages(work, span);
  const size_t page_positions = cache_.geometry().page_positions;
  kv_kernels_.score({.queries = work.scratch.queries.data(),
                     .count = work.queries,
                     .query_stride = key_size_,
                     .keys = {work.scratch.keys.data(), page_positions, span.begin % page_positions,
                              span.end - span.begin, work.scratch.values.front()},
                     .width = key_size_,
                     .scores = work.scratch.scores.data(),
                     .score_stride = kBlock});
  Soften(work, span, part);
  Weigh(work, span, part);
}

void Attention::ListPages(const Work& work, const Span& span) {
  const size_t page_positions = cache_.geometry().page_positions;
  const auto pages = work.input.rows[work.tile.first_row].sequence->pages();
  work.scratch.keys.clear();
  work.scratch.values.clear();
  for (size_t page = span.begin / page_positions; page * page_positions < span.end; ++page) {
    work.scratch.keys.push_back(cache_.Keys(pages[page], work.input.layer, work.kv_head));
    work.scratch.values.push_back(cache_.Values(pages[page], work.input.layer, work.kv_head));
  }
  const size_t next = span.end / page_positions;
  work.scratch.next_keys =
      span.end < work.tile.seen.end ? cache_.Keys(pages[next], work.input.layer, work.kv_head) : nullptr;
}

// Positions of a block that a row does not see are left out, which is what an empty softmax says of a whole block.
void Attention::Soften(const Work& work, const Span& span, const Part& part) const {
  for (size_t query = 0; query < work.queries; ++query) {
    const BatchRow& row = work.input.rows[work.tile.first_row + query / group_];
    const Span own = Common(span, Visible(row, work.input.layer));
    if (own.begin >= own.end) {
      part.softened[query] = {0, 0};
      continue;
    }
    const std::span<float> scores(work.scratch.scores.data() + query * kBlock + own.begin - span.begin,
                                  own.end - own.begin);
    if (config_.attention_cap > 0) {
      kernels_.soft_cap(scores.data(), static_cast<float>(config_.attention_cap), scores.size());
    }
    bias_.AddTo(scores, own.begin, row.position, work.kv_head * group_ + query % group_);
    part.softened[query] = kernels_.soften(scores.data(), scores.size());
  }
}

// All rows together where all of them see the positions, and those before and behind row by row: each row's positions
// are added one after the other either way.
void Attention::Weigh(const Work& work, const Span& span, const Part& part) const {
  std::fill_n(part.sums, work.queries * value_size_, 0.0F);
  const auto own = [&](size_t row) {
    return Common(span, Visible(work.input.rows[work.tile.first_row + row], work.input.layer));
  };
  Span seen = span;  // by all
  for (size_t row = 0; row < work.tile.rows; ++row) {
    seen = Common(seen, own(row));
  }
  const bool any = seen.begin < seen.end;
  for (size_t row = 0; row < work.tile.rows; ++row) {
    const Span before{own(row).begin, any ? seen.begin : own(row).end};
    WeighSome(work, span, before, {row * group_, (row + 1) * group_}, part);
  }
  if (any) {
    WeighSome(work, span, seen, {0, work.queries}, part);
    for (size_t row = 0; row < work.tile.rows; ++row) {
      WeighSome(work, span, {seen.end, own(row).end}, {row * group_, (row + 1) * group_}, part);
    }
  }
}

void Attention::WeighSome(const Work& work, const Span& block, const Span& some, Span queries, const Part& part) const {
  if (some.begin >= some.end) {
    return;
  }
  const size_t page_positions = cache_.geometry().page_positions;
  const size_t first_page = some.begin / page_positions - block.begin / page_positions;
  kv_kernels_.weigh({.weights = work.scratch.scores.data() + queries.begin * kBlock + some.begin - block.begin,
                     .count = queries.end - queries.begin,
                     .weight_stride = kBlock,
                     .values = {work.scratch.values.data() + first_page, page_positions, some.begin % page_positions,
                                some.end - some.begin, work.scratch.next_keys},
                     .width = value_size_,
                     .sums = part.sums + queries.begin * value_size_,
                     .sum_stride = value_size_});
}

Attention::Part Attention::Nothing(const Work& work) const {
  const Part all = work.scratch.all.At(0, value_size_);
  std::fill_n(all.softened, work.queries, tensor::Softened{0, 0});
  return all;
}

void Attention::Join(const Part& part, size_t queries, const Part& all) const {
  for (size_t query = 0; query < queries; ++query) {
    const tensor::Softened& more = part.softened[query];
    tensor::Softened& sum = all.softened[query];
    const float* from = part.sums + query * value_size_;
    float* to = all.sums + query * value_size_;
    if (sum.sum == 0) {
      std::copy_n(from, value_size_, to);
      sum = more;
    } else if (more.sum != 0) {
      const float largest = std::max(sum.largest, more.largest);
      const float kept = std::exp(sum.largest - largest);
      const float share = std::exp(more.largest - largest);
      kernels_.mix(to, kept, from, share, value_size_);
      sum = {largest, sum.sum * kept + more.sum * share};
    }
  }
}

void Attention::Finish(const Work& work, const Part& all) const {
  for (size_t query = 0; query < work.queries; ++query) {
    const size_t row = work.tile.first_row + query / group_;
    const size_t head = work.kv_head * group_ + query % group_;
    float* to = work.input.outputs + (row * static_cast<size_t>(config_.heads) + head) * value_size_;
    const float share = 1 / all.softened[query].sum;
    const float* from = all.sums + query * value_size_;
    std::transform(from, from + value_size_, to, [&](float x) { return x * share; });
  }
}

}  // namespace atelier::engine

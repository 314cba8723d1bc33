// The keys and values of all sequences, in pages of a few positions each (Kwon et al. 2023,
// https://arxiv.org/abs/2309.06180), so that memory is bounded, never moves, and is shared between sequences that begin
// alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/prefix_index.h"

namespace atelier::engine {

struct KvGeometry {
  size_t layers = 0;
  size_t heads = 0;
  size_t key_size = 0;
  size_t value_size = 0;
  size_t page_positions = 16;
  size_t pages = 0;
  bool share_prefixes = true;  // not where keys depend on later tokens
};

class KvCache;
struct CrossMemory;  // cross_attention.h
class Adapter;       // adapter.h

// The tokens that a sequence has seen and where their keys and values lie. Gives its pages back when destroyed, which
// must be before its cache is. Made by KvCache; for one thread at a time, as is the cache.
class Sequence {
 public:
  ~Sequence();
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;

  size_t length() const { return tokens_.size(); }
  std::span<const int32_t> tokens() const { return tokens_; }
  std::span<const PageId> pages() const { return pages_; }
  // What a decoder of an encoder-decoder model attends to; forks share it. Set before the first step.
  const CrossMemory* memory() const { return memory_.get(); }
  void Remember(std::shared_ptr<const CrossMemory> memory) { memory_ = std::move(memory); }
  // What changes the model for this sequence and its forks; nullptr: nothing. See NewSequence in adapter.h.
  const Adapter* adapter() const { return adapter_.get(); }
  void Adapt(std::shared_ptr<const Adapter> adapter) { adapter_ = std::move(adapter); }

 private:
  friend class KvCache;
  Sequence(KvCache& cache, uint64_t space) : cache_(cache), space_(space) {}

  KvCache& cache_;
  uint64_t space_;
  std::vector<int32_t> tokens_;
  std::shared_ptr<const CrossMemory> memory_;  // shared by forks
  std::shared_ptr<const Adapter> adapter_;     // shared by its sequences: it may be unloaded before they end
  std::vector<PageId> pages_;                  // hold at least `length` positions
  size_t indexed_ = 0;                         // pages that the prefix index was told of
  PrefixNode last_ = kNoPrefix;                // the last of them there
};

// Bounded: all memory is of the size given when made (untouched pages cost address space only). Not thread-safe.
class KvCache {
 public:
  // Errors: kInvalidArgument for sizes that overflow or are zero; kResourceExhausted when there is no such memory.
  static Result<std::unique_ptr<KvCache>> Make(const KvGeometry& geometry);

  const KvGeometry& geometry() const { return geometry_; }
  size_t free_pages() const { return free_.size(); }
  // Pages that only the prefix index holds: they are free as soon as somebody needs them.
  size_t reusable_pages() const { return geometry_.pages - free_.size() - used_; }

  // An empty sequence. Sequences share prefixes within one `space` only: what else a key depends on, such as adapters.
  std::unique_ptr<Sequence> NewSequence(uint64_t space = 0);
  // One that shares all pages of `other`, until either writes to them.
  std::unique_ptr<Sequence> Fork(const Sequence& other);

  // Lets an empty sequence begin with the longest known prefix of `prompt`, whole pages of it and at most all but its
  // last token (whose output somebody will want). Returns the tokens taken over: sequence.length().
  size_t Reuse(Sequence& sequence, std::span<const int32_t> prompt);

  // Room for `count` more positions, in pages that no other sequence sees. Errors: kResourceExhausted "kv_cache_full",
  // then the sequence has the length and the content that it had.
  Status Reserve(Sequence& sequence, size_t count);
  // The reserved positions now hold these tokens. Other sequences find what is before the last `unsure` ones.
  void Append(Sequence& sequence, std::span<const int32_t> tokens, size_t unsure = 0);
  // Forgets the positions from `length` on, and pages beyond them.
  void Truncate(Sequence& sequence, size_t length);
  // Forgets all prefixes that no sequence uses.
  void DropPrefixes();

  float* Keys(PageId page, size_t layer, size_t head) {  // [key_size, page_positions]
    return Block(page, layer) + head * geometry_.page_positions * geometry_.key_size;
  }
  float* Values(PageId page, size_t layer, size_t head) {  // [page_positions, value_size]
    return Block(page, layer) +
           geometry_.page_positions * (geometry_.heads * geometry_.key_size + head * geometry_.value_size);
  }

 private:
  friend class Sequence;
  explicit KvCache(const KvGeometry& geometry);

  float* Block(PageId page, size_t layer) { return memory_.get() + (page * geometry_.layers + layer) * block_floats_; }
  Result<PageId> Take();
  void Hold(PageId page);     // by one more sequence
  void Release(PageId page);  // by one sequence
  void Index(Sequence& sequence, size_t length);

  KvGeometry geometry_;
  size_t block_floats_;  // of one page in one layer
  std::unique_ptr<float[]> memory_;
  std::vector<uint32_t> holders_;  // sequences, by page
  std::vector<PageId> free_;
  size_t used_ = 0;  // pages that a sequence holds
  PrefixIndex prefixes_;
};

}  // namespace atelier::engine

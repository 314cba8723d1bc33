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
#include "tensor/kernels/kv_format.h"

namespace atelier::engine {

struct KvGeometry {
  size_t layers = 0;
  size_t heads = 0;
  size_t key_size = 0;
  size_t value_size = 0;
  size_t page_positions = 16;
  size_t pages = 0;
  tensor::KvFormat format = tensor::KvFormat::kF32;
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
  Sequence(KvCache& cache, const PrefixSpace& space) : cache_(cache), space_(space) {}

  KvCache& cache_;
  PrefixSpace space_;
  std::vector<int32_t> tokens_;
  std::shared_ptr<const CrossMemory> memory_;  // shared by forks
  std::shared_ptr<const Adapter> adapter_;     // shared by its sequences: it may be unloaded before they end
  std::vector<PageId> pages_;                  // hold at least `length` positions
  size_t indexed_ = 0;                         // pages that the prefix index was told of
  PrefixNode last_ = kNoPrefix;                // the last of them there
};

// The bytes of one page in all layers. False on overflow.
bool PageBytes(const KvGeometry& geometry, size_t& bytes);

// Bounded: all memory is of the size given when made (untouched pages cost address space only). Not thread-safe.
class KvCache {
 public:
  // Errors: kInvalidArgument for sizes that overflow or are zero; kResourceExhausted when there is no such memory.
  static Result<std::unique_ptr<KvCache>> Make(const KvGeometry& geometry);

  const KvGeometry& geometry() const { return geometry_; }
  size_t free_pages() const { return free_.size(); }
  // Pages that only the prefix index holds: they are free as soon as somebody needs them.
  size_t reusable_pages() const { return geometry_.pages - free_.size() - used_; }

  // An empty sequence.
  std::unique_ptr<Sequence> NewSequence(const PrefixSpace& space = {});
  // One that shares all pages of `other`, until either writes to them.
  std::unique_ptr<Sequence> Fork(const Sequence& other);

  // Lets a sequence whose tokens begin `prompt`, or an empty one, go on by what others have computed of it: whole
  // pages and the beginning of one more, and at most all but its last token (whose output somebody will want). Returns
  // by how many tokens it is longer now.
  size_t Reuse(Sequence& sequence, std::span<const int32_t> prompt);
  // Whether both begin with the same whole pages and stand in the page behind these, so that what one computes next may
  // be what the other wants. False where nothing is shared.
  bool Abreast(const Sequence& one, const Sequence& other) const;

  // Room for `count` more positions, in pages that no other sequence sees. Errors: kResourceExhausted "kv_cache_full",
  // then the sequence has the length and the content that it had.
  Status Reserve(Sequence& sequence, size_t count);
  // The reserved positions now hold these tokens. Other sequences find what is before the last `unsure` ones.
  void Append(Sequence& sequence, std::span<const int32_t> tokens, size_t unsure = 0);
  // Forgets the positions from `length` on, and pages beyond them.
  void Truncate(Sequence& sequence, size_t length);
  // Forgets all prefixes that no sequence uses.
  void DropPrefixes();

  // As the geometry's format has them.
  std::byte* Keys(PageId page, size_t layer, size_t head) { return Block(page, layer) + head * key_bytes_; }
  std::byte* Values(PageId page, size_t layer, size_t head) {
    return Block(page, layer) + geometry_.heads * key_bytes_ + head * value_bytes_;
  }

 private:
  friend class Sequence;
  explicit KvCache(const KvGeometry& geometry) : geometry_(geometry) {}

  std::byte* Block(PageId page, size_t layer) {
    return first_block_ + (page * geometry_.layers + layer) * geometry_.heads * (key_bytes_ + value_bytes_);
  }
  Result<PageId> Take();
  bool TakeOver(PageId page);  // that one sequence and the prefix index hold: the sequence alone, if it can be
  void Hold(PageId page);      // by one more sequence
  void Release(PageId page);   // by one sequence
  void Index(Sequence& sequence, size_t length);
  void ReuseBeginning(Sequence& sequence, std::span<const int32_t> prompt);

  KvGeometry geometry_;
  size_t key_bytes_ = 0;    // of one head of a page
  size_t value_bytes_ = 0;  // the same
  std::unique_ptr<std::byte[]> memory_;
  std::byte* first_block_ = nullptr;  // in `memory_`, where a cache line begins
  std::vector<uint32_t> holders_;     // sequences, by page
  std::vector<PageId> free_;
  size_t used_ = 0;  // pages that a sequence holds
  PrefixIndex prefixes_;
};

}  // namespace atelier::engine

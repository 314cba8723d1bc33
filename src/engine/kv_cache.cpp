#include "engine/kv_cache.h"

#include <sys/mman.h>

#include <algorithm>
#include <limits>
#include <new>

namespace atelier::engine {
namespace {

constexpr size_t kLine = 64;  // bytes

// A step reads all pages of a sequence, layer by layer: more places than a processor remembers the addresses of, if
// they are small. A wish only.
void AskForHugePages(std::byte* memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
  constexpr size_t kHuge = 2U << 20U;
  size_t space = bytes;
  void* first = memory;
  if (std::align(kHuge, kHuge, first, space) != nullptr) {
    madvise(first, space / kHuge * kHuge, MADV_HUGEPAGE);
  }
#endif
}

}  // namespace

bool PageBytes(const KvGeometry& geometry, size_t& bytes) {
  size_t keys = 0;
  size_t values = 0;
  return tensor::KvBytes(geometry.format, geometry.key_size, geometry.page_positions, keys) &&
         tensor::KvBytes(geometry.format, geometry.value_size, geometry.page_positions, values) &&
         !__builtin_add_overflow(keys, values, &bytes) && !__builtin_mul_overflow(bytes, geometry.heads, &bytes) &&
         !__builtin_mul_overflow(bytes, geometry.layers, &bytes);
}

Sequence::~Sequence() { cache_.Truncate(*this, 0); }

Result<std::unique_ptr<KvCache>> KvCache::Make(const KvGeometry& geometry) {
  size_t all = 0;
  if (!PageBytes(geometry, all) || __builtin_mul_overflow(all, geometry.pages, &all) || all == 0 ||
      all > std::numeric_limits<size_t>::max() / 2 || geometry.pages > std::numeric_limits<PageId>::max()) {
    return InvalidArgument("a cache of keys and values cannot have these sizes");
  }
  std::unique_ptr<KvCache> cache(new KvCache(geometry));
  // Not std::make_unique: that would touch, and so take, all memory at once.
  cache->memory_.reset(new (std::nothrow) std::byte[all + kLine]);
  if (cache->memory_ == nullptr) {
    return MakeError(Code::kResourceExhausted, "there is no memory for a cache of " + std::to_string(all) + " bytes",
                     "out_of_memory");
  }
  size_t space = all + kLine;
  void* first = cache->memory_.get();
  cache->first_block_ = static_cast<std::byte*>(std::align(kLine, all, first, space));
  AskForHugePages(cache->memory_.get(), all + kLine);
  tensor::KvBytes(geometry.format, geometry.key_size, geometry.page_positions, cache->key_bytes_);
  tensor::KvBytes(geometry.format, geometry.value_size, geometry.page_positions, cache->value_bytes_);
  cache->holders_.resize(geometry.pages);
  cache->free_.resize(geometry.pages);
  for (size_t i = 0; i < geometry.pages; ++i) {
    cache->free_[i] = static_cast<PageId>(geometry.pages - 1 - i);
  }
  return cache;
}

std::unique_ptr<Sequence> KvCache::NewSequence(const PrefixSpace& space) {
  return std::unique_ptr<Sequence>(new Sequence(*this, space));
}

std::unique_ptr<Sequence> KvCache::Fork(const Sequence& other) {
  auto sequence = NewSequence(other.space_);
  const size_t pages = (other.length() + geometry_.page_positions - 1) / geometry_.page_positions;
  sequence->tokens_ = other.tokens_;
  sequence->memory_ = other.memory_;
  sequence->adapter_ = other.adapter_;
  sequence->pages_.assign(other.pages_.begin(), other.pages_.begin() + static_cast<std::ptrdiff_t>(pages));
  sequence->indexed_ = other.indexed_;
  sequence->last_ = other.last_;
  std::ranges::for_each(sequence->pages_, [this](PageId page) { Hold(page); });
  return sequence;
}

size_t KvCache::Reuse(Sequence& sequence, std::span<const int32_t> prompt) {
  const size_t size = geometry_.page_positions;
  const size_t before = sequence.length();
  if (!geometry_.share_prefixes || before >= prompt.size()) {
    return 0;
  }
  for (size_t end = (sequence.indexed_ + 1) * size; end < prompt.size(); end += size) {
    const auto tokens = prompt.subspan(end - size, size);
    const auto found = prefixes_.Find(sequence.space_, sequence.last_, tokens);
    if (found.node == kNoPrefix) {
      break;
    }
    Truncate(sequence, end - size);  // the page that it has begun itself, or reserved
    Hold(found.page);
    sequence.pages_.push_back(found.page);
    sequence.tokens_.insert(sequence.tokens_.end(), tokens.begin(), tokens.end());
    sequence.last_ = found.node;
    ++sequence.indexed_;
  }
  ReuseBeginning(sequence, prompt);
  if (sequence.length() > before) {
    prefixes_.Touch(sequence.last_);
  }
  return sequence.length() - before;
}

// Of the page behind the sequence's whole ones. It will be copied before anything is written to it.
void KvCache::ReuseBeginning(Sequence& sequence, std::span<const int32_t> prompt) {
  const size_t begin = sequence.indexed_ * geometry_.page_positions;
  const auto tokens = prompt.subspan(begin, prompt.size() - 1 - begin);
  const auto found = prefixes_.FindAlike(sequence.space_, sequence.last_, tokens);
  if (begin + found.tokens <= sequence.length()) {
    return;
  }
  Truncate(sequence, begin);
  Hold(found.page);
  sequence.pages_.push_back(found.page);
  const auto reused = tokens.first(found.tokens);
  sequence.tokens_.insert(sequence.tokens_.end(), reused.begin(), reused.end());
  prefixes_.Touch(found.node);
}

bool KvCache::Abreast(const Sequence& one, const Sequence& other) const {
  return geometry_.share_prefixes && one.space_ == other.space_ && one.last_ == other.last_;
}

Status KvCache::Reserve(Sequence& sequence, size_t count) {
  const size_t size = geometry_.page_positions;
  if (count > geometry_.pages * size) {
    return MakeError(Code::kResourceExhausted, "the cache of keys and values is smaller than the request",
                     "kv_cache_full");
  }
  const size_t held = sequence.pages_.size();
  const size_t needed = (sequence.length() + count + size - 1) / size;
  const size_t written = sequence.length() / size;  // the page of the next position
  bool copy = count > 0 && written < held &&
              (holders_[sequence.pages_[written]] > 1 || prefixes_.Holds(sequence.pages_[written]));
  const size_t wanted = (needed > held ? needed - held : 0) + (copy ? 1 : 0);
  std::vector<PageId> taken;
  while (taken.size() < wanted) {
    auto page = Take();
    if (page.ok()) {
      taken.push_back(*page);
    } else if (copy && taken.size() + 1 == wanted && TakeOver(sequence.pages_[written])) {
      copy = false;
      break;
    } else {
      std::ranges::for_each(taken, [this](PageId given) { Release(given); });
      return std::move(page).error();
    }
  }
  if (copy) {
    PageId& shared = sequence.pages_[written];
    std::copy(Block(shared, 0), Block(shared + 1, 0), Block(taken.back(), 0));
    Release(shared);
    shared = taken.back();
    taken.pop_back();
  }
  sequence.pages_.insert(sequence.pages_.end(), taken.begin(), taken.end());
  return {};
}

void KvCache::Append(Sequence& sequence, std::span<const int32_t> tokens, size_t unsure) {
  sequence.tokens_.insert(sequence.tokens_.end(), tokens.begin(), tokens.end());
  if (geometry_.share_prefixes) {
    Index(sequence, sequence.length() - std::min(unsure, sequence.length()));
  }
}

// The whole pages of the first `length` tokens.
void KvCache::Index(Sequence& sequence, size_t length) {
  const size_t size = geometry_.page_positions;
  const bool more = sequence.indexed_ < length / size;
  for (; sequence.indexed_ < length / size; ++sequence.indexed_) {
    const auto tokens = sequence.tokens().subspan(sequence.indexed_ * size, size);
    PageId& page = sequence.pages_[sequence.indexed_];
    const auto found = prefixes_.Find(sequence.space_, sequence.last_, tokens);
    if (found.node == kNoPrefix) {
      sequence.last_ = prefixes_.Add(sequence.space_, sequence.last_, tokens, page);
      continue;
    }
    // Another sequence computed the same page: the same numbers, so one of the two is enough.
    if (found.page != page) {
      Hold(found.page);
      Release(page);
      page = found.page;
    }
    sequence.last_ = found.node;
  }
  if (more) {
    prefixes_.Touch(sequence.last_);
  }
}

void KvCache::Truncate(Sequence& sequence, size_t length) {
  const size_t size = geometry_.page_positions;
  const size_t kept = std::min(length, sequence.length());
  sequence.tokens_.resize(kept);
  for (; sequence.indexed_ > kept / size; --sequence.indexed_) {
    sequence.last_ = prefixes_.Before(sequence.last_);
  }
  while (sequence.pages_.size() > (kept + size - 1) / size) {
    Release(sequence.pages_.back());
    sequence.pages_.pop_back();
  }
}

void KvCache::DropPrefixes() {
  PageId page = 0;
  while (prefixes_.Evict([this](PageId candidate) { return holders_[candidate] == 0; }, page)) {
    free_.push_back(page);
  }
}

Result<PageId> KvCache::Take() {
  PageId page = 0;
  if (!free_.empty()) {
    page = free_.back();
    free_.pop_back();
  } else if (!prefixes_.Evict([this](PageId candidate) { return holders_[candidate] == 0; }, page)) {
    return MakeError(Code::kResourceExhausted, "the cache of keys and values is full", "kv_cache_full");
  }
  Hold(page);
  return page;
}

bool KvCache::TakeOver(PageId page) {
  return holders_[page] == 1 && prefixes_.Evict([page](PageId candidate) { return candidate == page; }, page);
}

void KvCache::Hold(PageId page) {
  if (holders_[page]++ == 0) {
    ++used_;
  }
}

void KvCache::Release(PageId page) {
  if (--holders_[page] == 0) {
    --used_;
    if (!prefixes_.Holds(page)) {
      free_.push_back(page);
    }
  }
}

}  // namespace atelier::engine

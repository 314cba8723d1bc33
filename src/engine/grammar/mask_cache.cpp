#include "engine/grammar/mask_cache.h"

#include <algorithm>
#include <utility>

namespace atelier::engine::grammar {
namespace {

// More allowed tokens than this, as a share of the vocabulary, are kept as bits.
constexpr size_t kIdsPerWord = 2;
// What a terminal that counts its characters allows by itself is kept for tokens of at most so many bytes; so it is the
// same for all counts that are further than this from their limits. The few longer tokens are looked at each time.
constexpr uint32_t kCountedBytes = 32;

void Allow(std::span<const int32_t> ids, std::span<uint64_t> bits) {
  for (const int32_t id : ids) {
    bits[static_cast<size_t>(id) / 64] |= 1ULL << (static_cast<size_t>(id) % 64);
  }
}

uint64_t HashOfSet(const ConfigSet& set) {
  uint64_t hash = set.complete ? 0x9E3779B97F4A7C15ULL : 1;
  for (const uint64_t one : set.hashes) {
    hash = (hash ^ one) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29U;
  }
  return hash;
}

bool SameSet(const ConfigSet& left, const ConfigSet& right) {
  return left.complete == right.complete && left.hashes == right.hashes && left.configs == right.configs;
}

}  // namespace

MaskCache::MaskCache(GrammarPtr grammar, VocabularyPtr vocabulary, Limits limits)
    : grammar_(std::move(grammar)), vocabulary_(std::move(vocabulary)), automaton_(*grammar_), limits_(limits) {}

MaskCache::Entry* MaskCache::Find(Store& store, const Key& key) const {
  const auto [begin, end] = store.by_hash.equal_range(key.hash);
  for (auto at = begin; at != end; ++at) {
    if (SameSet(at->second->key.set, key.set)) {
      store.entries.splice(store.entries.begin(), store.entries, at->second);
      return &store.entries.front();
    }
  }
  return nullptr;
}

void MaskCache::Keep(Entry entry) {
  store_.With([&](Store& store) {
    if (entry.bytes > limits_.max_bytes || Find(store, entry.key) != nullptr) {
      return;
    }
    store.bytes += entry.bytes;
    const uint64_t hash = entry.key.hash;
    store.entries.push_front(std::move(entry));
    store.by_hash.emplace(hash, store.entries.begin());
    while (store.bytes > limits_.max_bytes) {
      const auto last = std::prev(store.entries.end());
      const auto [begin, end] = store.by_hash.equal_range(last->key.hash);
      store.by_hash.erase(std::find_if(begin, end, [&](const auto& item) { return item.second == last; }));
      store.bytes -= last->bytes;
      store.entries.pop_back();
    }
  });
}

void MaskCache::Fill(const ConfigSet& set, std::span<uint64_t> mask) {
  Entry entry;
  entry.key = {HashOfSet(set), set};
  auto whole = store_.With([&](Store& store) {
    const Entry* found = Find(store, entry.key);
    return found == nullptr ? nullptr : found->whole;
  });
  if (whole == nullptr) {
    auto bits = std::make_shared<Bits>(vocabulary_->mask_words());
    Compute(set, *bits);
    if (set.complete) {
      Allow(vocabulary_->ends(), *bits);
    }
    whole = std::move(bits);
    entry.whole = whole;
    entry.bytes = whole->size() * 8 + set.configs.size() * (sizeof(Config) + sizeof(Frame)) + 256;
    Keep(std::move(entry));
  }
  std::copy_n(whole->begin(), std::min(whole->size(), mask.size()), mask.begin());
}

void MaskCache::Compute(const ConfigSet& set, Bits& bits) {
  for (const Config& config : set.configs) {
    const auto inner = InnerOf(config);
    for (size_t i = 0; i < inner->bits.size(); ++i) {
      bits[i] |= inner->bits[i];
    }
    Allow(inner->ids, bits);
    WalkDeep(config, inner->deep, bits);
    if (inner->exits.empty()) {
      continue;
    }
    ConfigSet after;
    automaton_.Resume(config.stack, after);
    if (!after.configs.empty()) {
      for (const uint32_t node : inner->exits) {
        WalkBelow(node, after, bits);
      }
    }
  }
}

std::shared_ptr<const MaskCache::Inner> MaskCache::InnerOf(const Config& config) {
  // Counts that no single token can bring to their limit are all the same.
  const Terminal& terminal = automaton_.grammar().terminals[config.terminal];
  constexpr uint32_t longest = kCountedBytes;
  const uint32_t need = terminal.min_length - std::min(terminal.min_length, config.state.count);
  const uint32_t room = terminal.max_length - std::min(terminal.max_length, config.state.count);
  Config alone{config.terminal, config.state, nullptr};
  alone.state.count = std::min(need, longest) * (longest + 1) + std::min(room, longest);
  Entry entry;
  entry.key.hash = (static_cast<uint64_t>(config.terminal) << 40U) ^
                   (static_cast<uint64_t>(static_cast<uint32_t>(alone.state.state)) << 20U) ^ alone.state.partial ^
                   (static_cast<uint64_t>(alone.state.count) << 12U) ^ 0x5851F42D4C957F2DULL;
  entry.key.set.configs.push_back(std::move(alone));
  auto inner = store_.With([&](Store& store) {
    const Entry* found = Find(store, entry.key);
    return found == nullptr ? nullptr : found->inner;
  });
  if (inner == nullptr) {
    inner = ComputeInner(config);
    entry.inner = inner;
    entry.bytes = inner->MemoryBytes() + 256;
    Keep(std::move(entry));
  }
  return inner;
}

std::shared_ptr<const MaskCache::Inner> MaskCache::ComputeInner(const Config& config) const {
  const Terminal& terminal = automaton_.grammar().terminals[config.terminal];
  const Vocabulary& vocabulary = *vocabulary_;
  auto inner = std::make_shared<Inner>();
  std::vector<TerminalState> states(vocabulary.longest_token() + 1);
  states[0] = config.state;
  for (size_t node = 1; node < vocabulary.nodes();) {
    const uint32_t depth = vocabulary.depth(node);
    TerminalState& state = states[depth];
    state = states[depth - 1];
    if (!Step(terminal, state, vocabulary.byte(node))) {
      node = vocabulary.subtree_end(node);
      continue;
    }
    const bool has_children = vocabulary.subtree_end(node) > node + 1;
    const auto ids = vocabulary.ids(node);
    inner->ids.insert(inner->ids.end(), ids.begin(), ids.end());
    if (has_children && terminal.counts() && depth == kCountedBytes) {
      inner->deep.push_back(static_cast<uint32_t>(node));
      node = vocabulary.subtree_end(node);
      continue;
    }
    if (has_children && Accepts(terminal, state)) {
      inner->exits.push_back(static_cast<uint32_t>(node));
    }
    ++node;
  }
  if (inner->ids.size() > kIdsPerWord * vocabulary.mask_words()) {
    inner->bits.resize(vocabulary.mask_words());
    Allow(inner->ids, inner->bits);
    inner->ids = {};
  }
  return inner;
}

void MaskCache::WalkDeep(const Config& config, std::span<const uint32_t> nodes, Bits& bits) const {
  for (const uint32_t node : nodes) {
    ConfigSet set;
    set.configs.push_back(config);
    set.hashes.push_back(0);
    ConfigSet next;
    for (const char byte : vocabulary_->Prefix(node)) {
      automaton_.Step(set, static_cast<uint8_t>(byte), next);
      std::swap(set, next);
    }
    WalkBelow(node, set, bits);
  }
}

void MaskCache::WalkBelow(size_t node, const ConfigSet& set, Bits& bits) const {
  const Vocabulary& vocabulary = *vocabulary_;
  const uint32_t base = vocabulary.depth(node);
  std::vector<ConfigSet> levels(1, set);
  for (size_t at = node + 1; at < vocabulary.subtree_end(node);) {
    const uint32_t level = vocabulary.depth(at) - base;
    if (levels.size() <= level) {
      levels.resize(level + 1);
    }
    automaton_.Step(levels[level - 1], vocabulary.byte(at), levels[level]);
    if (levels[level].empty()) {
      at = vocabulary.subtree_end(at);
      continue;
    }
    Allow(vocabulary.ids(at), bits);
    ++at;
  }
}

}  // namespace atelier::engine::grammar

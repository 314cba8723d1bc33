// The masks of one grammar over one vocabulary, computed by walking the trie against the automaton, and kept.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/guarded.h"
#include "engine/grammar/automaton.h"
#include "engine/grammar/vocabulary.h"

namespace atelier::engine::grammar {

// Thread-safe; shared by the matchers of all requests with this grammar and model. Two levels are kept, both bounded
// in bytes, the longest unused given up first: whole masks by set of stacks, and, of one terminal's state alone, which
// tokens stay inside of it and at which trie nodes it may end (in a string this is nearly all the work, and it is the
// same wherever the string stands).
class MaskCache {
 public:
  struct Limits {
    size_t max_bytes = 48U << 20U;
  };

  MaskCache(GrammarPtr grammar, VocabularyPtr vocabulary)
      : MaskCache(std::move(grammar), std::move(vocabulary), Limits()) {}
  MaskCache(GrammarPtr grammar, VocabularyPtr vocabulary, Limits limits);

  // Sets exactly the bits of the tokens that may come next; ends are set where the text is complete. `mask` has
  // vocabulary().mask_words() words.
  void Fill(const ConfigSet& set, std::span<uint64_t> mask);

  const Automaton& automaton() const { return automaton_; }
  const Vocabulary& vocabulary() const { return *vocabulary_; }

 private:
  using Bits = std::vector<uint64_t>;
  // What one terminal's state allows by itself.
  struct Inner {
    Bits bits;                    // where many tokens are allowed
    std::vector<int32_t> ids;     // where few are
    std::vector<uint32_t> exits;  // trie nodes with children after which the terminal may be over
    std::vector<uint32_t> deep;   // trie nodes with children at which counting terminals are given up
    size_t MemoryBytes() const { return bits.size() * 8 + ids.size() * 4 + exits.size() * 4 + deep.size() * 4 + 128; }
  };
  struct Key {
    uint64_t hash = 0;
    ConfigSet set;  // for a terminal alone: one config without a stack
  };
  struct Entry {
    Key key;
    std::shared_ptr<const Bits> whole;   // shared with readers outside of the lock
    std::shared_ptr<const Inner> inner;  // the same
    size_t bytes = 0;
  };
  struct Store {
    std::list<Entry> entries;  // the latest used first
    std::unordered_multimap<uint64_t, std::list<Entry>::iterator> by_hash;
    size_t bytes = 0;
  };

  Entry* Find(Store& store, const Key& key) const;
  void Keep(Entry entry);
  std::shared_ptr<const Inner> InnerOf(const Config& config);
  std::shared_ptr<const Inner> ComputeInner(const Config& config) const;
  void Compute(const ConfigSet& set, Bits& bits);
  void WalkDeep(const Config& config, std::span<const uint32_t> nodes, Bits& bits) const;
  // Allows the tokens below `node` that go on from `set`, which holds just before the bytes below the node.
  void WalkBelow(size_t node, const ConfigSet& set, Bits& bits) const;

  GrammarPtr grammar_;
  VocabularyPtr vocabulary_;
  Automaton automaton_;
  Limits limits_;
  Guarded<Store> store_;
};

}  // namespace atelier::engine::grammar

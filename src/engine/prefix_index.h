// Which pages hold which beginnings of sequences: a tree whose nodes are full pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <span>
#include <unordered_map>
#include <vector>

namespace atelier::engine {

using PageId = uint32_t;
using PrefixNode = uint64_t;  // never used twice
inline constexpr PrefixNode kNoPrefix = 0;

// Sequences share prefixes within one space only.
struct PrefixSpace {
  uint64_t adapter = 0;  // what else than tokens a key depends on
  uint64_t tenant = 0;   // nobody learns from an answer's speed what others have asked

  bool operator==(const PrefixSpace&) const = default;
};

// A page is named by all tokens up to its end: the node before it and its own tokens, compared in full (a hash only
// finds candidates), so no sequence ever sees keys of other tokens. Not thread-safe.
class PrefixIndex {
 public:
  struct Found {
    PrefixNode node = kNoPrefix;
    PageId page = 0;
  };
  struct Alike {
    PrefixNode node = kNoPrefix;
    PageId page = 0;
    size_t tokens = 0;  // in common; 0: there is no such page
  };

  // The page with `tokens` after node `before` (kNoPrefix: at the start) in a space; node kNoPrefix if unknown.
  Found Find(const PrefixSpace& space, PrefixNode before, std::span<const int32_t> tokens) const;
  // A page after `before` that begins as `tokens` do: of a few such ones, that with the most of them.
  Alike FindAlike(const PrefixSpace& space, PrefixNode before, std::span<const int32_t> tokens) const;
  // Adds it; it must be unknown, and `before` known.
  PrefixNode Add(const PrefixSpace& space, PrefixNode before, std::span<const int32_t> tokens, PageId page);
  // Makes the node and all before it those that are evicted last.
  void Touch(PrefixNode node);
  PrefixNode Before(PrefixNode node) const { return nodes_.at(node).before; }  // of a known node
  bool Holds(PageId page) const { return by_page_.contains(page); }
  // Forgets the node used longest ago that has none behind it and whose page `may_go`; false if there is none.
  bool Evict(const std::function<bool(PageId)>& may_go, PageId& page);
  size_t size() const { return nodes_.size(); }

 private:
  struct Node {
    uint64_t hash = 0;
    PrefixSpace space{};
    PrefixNode before = kNoPrefix;
    std::vector<int32_t> tokens;
    PageId page = 0;
    size_t behind = 0;  // nodes right behind this one
    std::list<PrefixNode>::iterator place;
  };

  using ByHash = std::unordered_multimap<uint64_t, PrefixNode>;

  static uint64_t Hash(const PrefixSpace& space, PrefixNode before, std::span<const int32_t> tokens);

  static void Erase(ByHash& map, uint64_t hash, PrefixNode node);

  std::unordered_map<PrefixNode, Node> nodes_;
  ByHash by_hash_;
  ByHash by_start_;  // the hash with the first tokens alone
  std::unordered_map<PageId, PrefixNode> by_page_;
  std::list<PrefixNode> order_;  // longest unused first
  PrefixNode last_ = kNoPrefix;
};

}  // namespace atelier::engine

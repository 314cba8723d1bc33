// A prefix tree over byte strings, for longest matches and for walking all matches at a place.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::text {

// Immutable, thread-safe. Children of a node lie side by side, sorted by label.
class Trie {
 public:
  using Entry = std::pair<std::string_view, int32_t>;
  static constexpr uint32_t kRoot = 0;
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Match {
    int32_t value = -1;  // -1: none
    size_t length = 0;
  };

  Trie() : Trie(std::vector<Entry>{}) {}
  // The keys must be distinct; empty ones are left out. They are only read here. Values must not be negative.
  explicit Trie(std::vector<Entry> entries);

  uint32_t Child(uint32_t node, uint8_t label) const;  // kNone: there is none
  int32_t Value(uint32_t node) const { return nodes_[node].value; }
  Match Longest(std::string_view text, size_t at) const;  // the longest key that stands at text[at]
  bool empty() const { return nodes_.size() == 1; }

 private:
  struct Node {
    uint32_t first_child = 0;
    int32_t value = -1;
    uint16_t children = 0;
    uint8_t label = 0;
  };
  std::vector<Node> nodes_;
};

}  // namespace atelier::text

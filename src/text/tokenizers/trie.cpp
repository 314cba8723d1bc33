#include "text/tokenizers/trie.h"

#include <algorithm>

namespace atelier::text {

Trie::Trie(std::vector<Entry> entries) {
  std::erase_if(entries, [](const Entry& entry) { return entry.first.empty(); });
  std::ranges::sort(entries);
  struct Pending {
    uint32_t node;
    size_t begin, end, depth;  // of the entries that have the node's string as their prefix
  };
  nodes_.emplace_back();
  std::vector<Pending> pending{{kRoot, 0, entries.size(), 0}};
  for (size_t i = 0; i < pending.size(); ++i) {  // breadth first, so that children are neighbours
    Pending current = pending[i];
    if (current.begin < current.end && entries[current.begin].first.size() == current.depth) {
      nodes_[current.node].value = entries[current.begin++].second;
    }
    nodes_[current.node].first_child = static_cast<uint32_t>(nodes_.size());
    for (size_t begin = current.begin; begin < current.end;) {
      const char label = entries[begin].first[current.depth];
      size_t end = begin + 1;
      while (end < current.end && entries[end].first[current.depth] == label) {
        ++end;
      }
      pending.push_back({static_cast<uint32_t>(nodes_.size()), begin, end, current.depth + 1});
      nodes_.push_back({.label = static_cast<uint8_t>(label)});
      ++nodes_[current.node].children;
      begin = end;
    }
  }
  nodes_.shrink_to_fit();
}

uint32_t Trie::Child(uint32_t node, uint8_t label) const {
  const auto begin = nodes_.begin() + nodes_[node].first_child;
  const auto end = begin + nodes_[node].children;
  const auto found =
      std::lower_bound(begin, end, label, [](const Node& child, uint8_t wanted) { return child.label < wanted; });
  return found != end && found->label == label ? static_cast<uint32_t>(found - nodes_.begin()) : kNone;
}

Trie::Match Trie::Longest(std::string_view text, size_t at) const {
  Match match;
  uint32_t node = kRoot;
  for (size_t i = at; i < text.size(); ++i) {
    node = Child(node, static_cast<uint8_t>(text[i]));
    if (node == kNone) {
      break;
    }
    if (nodes_[node].value >= 0) {
      match = {nodes_[node].value, i + 1 - at};
    }
  }
  return match;
}

}  // namespace atelier::text

// The tokens of a model as a trie over their bytes, laid out in depth-first order, so that walking it is one pass over
// arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::engine::grammar {

// Immutable and thread-safe; built once per model.
class Vocabulary {
 public:
  static constexpr size_t kMaxTokenBytes = 4096;  // longer tokens are never allowed by a mask

  // `tokens` are the bytes that each id adds to a text; empty ones (control tokens) are never allowed. Errors:
  // kInvalidArgument (no tokens, an id of `ends` out of range).
  static Result<std::shared_ptr<const Vocabulary>> Make(std::vector<std::string> tokens, std::vector<int32_t> ends);

  size_t size() const { return tokens_.size(); }
  size_t mask_words() const { return (tokens_.size() + 63) / 64; }
  std::string_view Bytes(int32_t id) const;  // empty for an id out of range
  bool IsEnd(int32_t id) const;
  std::span<const int32_t> ends() const { return ends_; }
  size_t longest_token() const { return longest_; }

  // The trie. Node 0 is the root; the nodes of a subtree follow its root without gap.
  size_t nodes() const { return byte_.size(); }
  uint8_t byte(size_t node) const { return byte_[node]; }
  uint32_t depth(size_t node) const { return depth_[node]; }      // 0 for the root
  uint32_t subtree_end(size_t node) const { return end_[node]; }  // one past the subtree's last node
  std::string_view Prefix(size_t node) const;                     // the bytes from the root to the node
  std::span<const int32_t> ids(size_t node) const {               // tokens that are spelled exactly so
    return std::span(order_).subspan(first_[node], first_[node + 1] - first_[node]);
  }

 private:
  void Build();

  std::vector<std::string> tokens_;
  std::vector<int32_t> ends_;  // sorted
  size_t longest_ = 0;
  std::vector<uint8_t> byte_;
  std::vector<uint16_t> depth_;
  std::vector<uint32_t> end_;
  std::vector<uint32_t> first_;  // [nodes + 1] into order_
  std::vector<int32_t> order_;   // ids in order of their bytes
};
using VocabularyPtr = std::shared_ptr<const Vocabulary>;  // shared by the model and its requests' matchers

}  // namespace atelier::engine::grammar

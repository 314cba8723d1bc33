// Finds special and user-defined tokens that are spelled in a text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizers/trie.h"

namespace atelier::text {

// A piece of a text: a token, or text between tokens.
struct Part {
  int32_t token = -1;     // -1: text
  std::string_view text;  // borrowed; not empty where it is text
};

// Immutable, thread-safe. Borrows the spellings of the spec it was made from.
class SpecialTokens {
 public:
  SpecialTokens() = default;
  explicit SpecialTokens(const TokenizerSpec& spec);

  // User-defined tokens always, control and unknown tokens with `parse_special`. At each place the longest token wins.
  std::vector<Part> Partition(std::string_view text, bool parse_special) const;

 private:
  Trie all_;
  Trie user_defined_;
  std::vector<bool> strips_left_;   // by id
  std::vector<bool> strips_right_;  // by id
};

}  // namespace atelier::text

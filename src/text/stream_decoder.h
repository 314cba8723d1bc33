// Text of tokens as they come, in whole characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace atelier::text {

// Joins the bytes of tokens and gives out well-formed UTF-8 only: an unfinished character is held back until it is
// whole, an ill-formed sequence becomes U+FFFD. All that is given out, joined, is ReplaceInvalidUtf8 of all bytes. Not
// thread-safe; borrows the tokeniser.
class StreamDecoder {
 public:
  // `at_start`: the tokens are a text of their own, which loses the space that encoding puts before it (see
  // Tokenizer::Decode); false: they continue a text.
  explicit StreamDecoder(const Tokenizer& tokenizer, bool at_start = false);

  // What token `id` adds; may be empty.
  std::string Push(int32_t id);
  // The same for bytes.
  std::string PushBytes(std::string_view bytes);
  // What is left at the end: U+FFFD for a character that never became whole.
  std::string Finish();

 private:
  const Tokenizer& tokenizer_;
  bool drop_space_;
  std::string held_;  // the beginning of a character, at most three bytes
};

}  // namespace atelier::text

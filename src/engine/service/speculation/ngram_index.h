// Where the last tokens of a text were seen before: what followed there may follow again (prompt lookup: Saxena 2023,
// https://github.com/apoorvumang/prompt-lookup-decoding).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace atelier::engine {

// The tokens of a text with chains of places that end in the same two tokens, newest first (as LZ77 compressors have
// them): a token more costs constant time, and so does a search, however long the text. Not thread-safe.
class NgramIndex {
 public:
  struct Match {
    size_t length = 0;  // tokens that agree, at most kLongest; 0: none
    size_t next = 0;    // where the text goes on behind them
  };
  static constexpr size_t kLongest = 16;

  void Append(std::span<const int32_t> tokens);
  // The longest known place of the tokens at the end of `context` behind which the text goes on; of several the newest.
  // Looks at the newest few dozen places only.
  Match Find(std::span<const int32_t> context) const;
  // The match of the text's own end.
  Match FindEnd() const { return Find(tokens_); }
  // Appends the `count` tokens from `next` on. Behind the text's end the copy goes on with itself: what repeats a few
  // tokens over and over is foreseen as far as is wished.
  void Copy(size_t next, size_t count, std::vector<int32_t>& out) const;

  std::span<const int32_t> tokens() const { return tokens_; }

 private:
  void Register(size_t next);
  void Grow();

  std::vector<int32_t> tokens_;
  // Of places, named by where the text goes on; 0: none. A place is entered when its next token is there.
  std::vector<uint32_t> pairs_;     // by the hash of the two tokens before: the newest
  std::vector<uint32_t> singles_;   // by the hash of the token before: the newest
  std::vector<uint32_t> previous_;  // by place: the one before it with the same hash of two tokens
};

}  // namespace atelier::engine

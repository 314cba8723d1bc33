// SentencePiece's precompiled normaliser (https://github.com/google/sentencepiece, src/normalizer.cc and its
// third_party/darts_clone): u32 size, a double array of that many bytes, and replacements that end with NUL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::text {

// Immutable, thread-safe. Owns its data.
class Charsmap {
 public:
  // Errors: kInvalidArgument "invalid_tokenizer" (sizes that do not fit, replacements without an end).
  static Result<Charsmap> Parse(std::string_view blob);

  // Replaces, from left to right, the longest known sequence at each place; bytes that are no UTF-8 stay.
  std::string Apply(std::string_view text) const;

 private:
  struct Match {
    size_t length = 0;
    size_t replacement = 0;
  };
  Match Longest(std::string_view text, size_t at) const;

  // A unit of the array holds a label (bits 0 to 7, and 31 on a value), whether a value follows (bit 8) and the offset
  // of its children (bits 10 to 30, times 256 with bit 9), by exclusive or with the unit's own place.
  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace atelier::text

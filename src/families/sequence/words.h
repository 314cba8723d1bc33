// Texts cut into tokens by the word boundaries of Unicode (UAX #29), with ICU's dictionaries for scripts without
// spaces.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::families {

enum class Cut { kAuto, kWord, kCharacter };

// "auto" | "word" | "character"; kAuto where it is none of them.
Cut CutFromName(std::string_view name);
std::string_view Name(Cut cut);

// Thread-safe.
class WordCutter {
 public:
  // kAuto: words, but each ideograph and kana by itself. White space is left out, signs are tokens. Errors: kInternal
  // where ICU has no data.
  static Result<std::unique_ptr<WordCutter>> Make(Cut cut);
  virtual ~WordCutter() = default;
  // The first `limit` tokens of a text of less than 2 GiB; ill-formed UTF-8 counts as U+FFFD.
  virtual std::vector<std::string> Tokens(std::string_view text, size_t limit) const = 0;
};

// By Unicode's default case mapping.
std::string Lowercase(std::string_view text);

// The first and last `count` characters; all of a shorter text.
std::string_view Prefix(std::string_view text, size_t count);
std::string_view Suffix(std::string_view text, size_t count);

// The kinds of characters in order, runs as one: X upper case, x other letters, 9 digits, the rest as it is.
// "Madrid-92" gives "Xx-9".
std::string Shape(std::string_view text);

// Items between single spaces; of an empty text none.
std::vector<std::string> SplitSpaces(std::string_view text);

}  // namespace atelier::families

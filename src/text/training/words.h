// The distinct words of a corpus, and the characters in them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "text/training/train.h"

namespace atelier::text {

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using WordCounts = std::unordered_map<std::string, int64_t, TextHash, std::equal_to<>>;
using CharacterCounts = std::map<char32_t, int64_t>;

// Cuts the texts, normalised, into the words within which tokens are sought: as the trained tokeniser will, or smaller,
// so that no token spans letters and signs. Of kCharacters the words are characters. Bytes that are no UTF-8 are left
// out, but in kByteBpe. Errors: kInvalidArgument "pre" or "normalizer"; those of the corpus; kResourceExhausted (words
// of more than 2^31 bytes in all).
Result<WordCounts> CountWords(const Corpus& corpus, const TokenizerTraining& options);

CharacterCounts CountCharacters(const WordCounts& words);

// The most frequent characters, at most `limit`, sorted.
std::vector<char32_t> ChooseAlphabet(const CharacterCounts& counts, size_t limit);

// The characters of well-formed UTF-8.
std::vector<char32_t> CharactersOf(std::string_view word);

}  // namespace atelier::text

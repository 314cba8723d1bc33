// Unigram vocabularies by SentencePiece's trainer (https://github.com/google/sentencepiece; Kudo 2018).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/training/words.h"

namespace atelier::text {

// At most `pieces` pieces with their log-probabilities, likeliest first. Words begin with U+2581. Errors:
// kInvalidArgument "vocabulary_size", with the library's words.
Result<std::vector<std::pair<std::string, float>>> LearnUnigram(const WordCounts& words, size_t pieces);

}  // namespace atelier::text

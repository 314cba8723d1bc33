// Unigram vocabularies (T. Kudo, "Subword Regularization", arXiv:1804.10959): many candidate pieces, their
// probabilities by expectation maximisation over all ways to cut the words, and the least useful ones left out until
// few enough remain.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/training/words.h"

namespace atelier::text {

// At most `pieces` pieces with their natural log-probabilities, likeliest first; every character is one. Words begin
// with U+2581, which stands at a piece's begin only. A function of its arguments alone. Errors: kInvalidArgument
// "vocabulary_size" where the characters alone are more.
Result<std::vector<std::pair<std::string, float>>> LearnUnigram(const WordCounts& words, size_t pieces);

}  // namespace atelier::text

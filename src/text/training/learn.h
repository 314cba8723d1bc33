// From counted words to the tokens of each kind of vocabulary.
#pragma once

#include <string>
#include <vector>

#include "text/training/words.h"

namespace atelier::text {

struct Learnt {
  std::vector<std::string> tokens{};
  std::vector<std::string> merges{};  // "left right"
  std::vector<float> scores{};        // by token, or empty
};

// At most `room` tokens each; see train.h for what the options mean.
Learnt LearnByteBpe(const WordCounts& words, size_t room, const TokenizerTraining& options);
Learnt LearnCharacterBpe(const WordCounts& words, size_t room, const TokenizerTraining& options);
Learnt LearnWordPiece(const WordCounts& words, size_t room, const TokenizerTraining& options);
Learnt LearnCharacters(const WordCounts& words, size_t room, const TokenizerTraining& options);
// Errors: those of unigram_trainer.h.
Result<Learnt> LearnUnigramPieces(const WordCounts& words, size_t room, const TokenizerTraining& options);

// The prefix of WordPiece's tokens within words.
inline constexpr std::string_view kContinuing = "##";

}  // namespace atelier::text

// The four kinds of tokenisers. Each takes a checked spec; errors: those of Tokenizer::Make.
#pragma once

#include <memory>

#include "text/tokenizers/tokenizer_base.h"

namespace atelier::text {

// Merges by rank: over bytes (GPT-2), or over characters with byte tokens for unknown ones (tokenizer.json of Llama 2,
// Gemma, Mistral).
std::unique_ptr<TokenizerBase> MakeBpe(TokenizerSpec spec);

// SentencePiece's BPE: merges the pair whose token has the highest score
// (https://github.com/google/sentencepiece, src/bpe_model.cc).
std::unique_ptr<TokenizerBase> MakeScoredBpe(TokenizerSpec spec);

// The most probable segmentation (Kudo 2018, "Subword Regularization", section 3.2; the Viterbi algorithm).
std::unique_ptr<TokenizerBase> MakeUnigram(TokenizerSpec spec);

// Longest match first within words (Devlin et al. 2019, BERT's tokenization.py).
std::unique_ptr<TokenizerBase> MakeWordPiece(TokenizerSpec spec);

}  // namespace atelier::text

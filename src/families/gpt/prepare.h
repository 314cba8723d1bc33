// What a training begins with: the model, from scratch or read, and its rows as tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "families/gpt/corpus.h"
#include "families/gpt/folder.h"
#include "families/learner.h"

namespace atelier::families::gpt {

struct Start {
  Network network{nullptr};
  Language language{};
};

// Reads the base, or learns a tokeniser from the training rows and draws the weights from the seed; adds the adapter.
Result<Start> Begin(const LearnInput& input, Material material);

// Texts as one stream, each ended by the separator or the end token. `settings`: of the family.
Result<std::vector<int32_t>> ReadStream(const data::Reader& reader, std::span<const int64_t> rows,
                                        const Language& language, const json::object& settings);

// How many characters each token of a vocabulary stands for; control tokens for none.
std::vector<int32_t> CharactersOfTokens(const text::Tokenizer& tokenizer);

// Bytes that a step needs at most: weights, gradients, moments and what is kept for the way back. `trained`: parameters
// that get gradients.
int64_t EstimateMemory(const Shape& shape, int64_t trained, int64_t batch, int64_t length);
// Errors: kResourceExhausted "not_enough_memory", where this machine has less.
Status CheckMemory(int64_t bytes);

}  // namespace atelier::families::gpt

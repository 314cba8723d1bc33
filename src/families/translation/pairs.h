// Pairs of texts as token ids, and batches of them.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/reader.h"
#include "families/translation/config.h"
#include "text/tokenizer.h"

namespace atelier::families {

struct TextPair {
  std::string source{};
  std::string target{};
};

// The texts of some rows, of text columns or categories. Errors: kInvalidArgument (no such column), the reader's.
Result<std::vector<TextPair>> ReadPairs(const data::Reader& reader, std::span<const int64_t> rows,
                                        const TranslationConfig& config);

// One text as the network reads it: its tokens and `end`.
std::vector<int32_t> Encoded(const text::Tokenizer& tokenizer, const std::string& text, int64_t end);

struct TokenPair {
  std::vector<int32_t> source{};  // both with `end`
  std::vector<int32_t> target{};
};

struct TokenPairs {
  std::vector<TokenPair> pairs{};
  int64_t dropped = 0;  // an empty side, or one of more than max_length tokens
};

TokenPairs EncodePairs(const std::vector<TextPair>& texts, const text::Tokenizer& tokenizer,
                       const TranslationConfig& config);

struct Padded {
  torch::Tensor tokens{};   // I64 [texts, longest]
  torch::Tensor present{};  // Bool of the same shape: false: padding
};
Padded Pad(const std::vector<std::vector<int32_t>>& texts, int64_t padding);

// What a training step takes of some pairs.
struct PairBatch {
  Padded source{};
  torch::Tensor inputs{};   // I64 [pairs, longest]: `end`, then the target without its end
  torch::Tensor places{};   // I64 [tokens]: where in inputs, as one row, there are target tokens
  torch::Tensor targets{};  // I64 [tokens]: the tokens that follow there
};
PairBatch MakeBatch(const std::vector<TokenPair>& pairs, std::span<const int64_t> chosen,
                    const TranslationConfig& config);

}  // namespace atelier::families

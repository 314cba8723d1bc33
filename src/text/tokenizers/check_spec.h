// The checks that every spec passes before a tokeniser is made of it.
#pragma once

#include "base/result.h"
#include "text/tokenizer.h"

namespace atelier::text {

inline constexpr size_t kMaxTokens = 2'000'000;
inline constexpr size_t kMaxTokenBytes = 8192;
inline constexpr size_t kMaxVocabularyBytes = 64U << 20U;
inline constexpr size_t kMaxMerges = 4'000'000;

// Errors: kInvalidArgument "invalid_tokenizer", with the field of the spec as its param.
Status CheckSpec(const TokenizerSpec& spec);

}  // namespace atelier::text

// The tokens that end a generation.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace atelier::text {

// Whether `spelling` is known to end a turn or a text in published vocabularies, such as "<|im_end|>".
bool IsKnownEnd(std::string_view spelling);

// eos, eot, and the control tokens that IsKnownEnd; sorted, each once. In vocabularies where "<|end|>" only ends a
// message (they have "<|return|>" and "<|call|>", too) it is not one of them.
std::vector<int32_t> EndTokens(const TokenizerSpec& spec);

}  // namespace atelier::text

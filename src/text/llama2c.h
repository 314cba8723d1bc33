// The vocabulary files of llama2.c (https://github.com/karpathy/llama2.c, tokenizer.py: export): i32 length of the
// longest token, then for each token f32 score, i32 length and that many bytes; little-endian, no count.
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/tokenizer.h"

namespace atelier::text {

// A SentencePiece BPE: token 0 is unknown, 1 begins and 2 ends a sequence, the tokens "<0xHH>" are bytes. Errors:
// kInvalidArgument "invalid_tokenizer" (cut off, lengths that do not fit, too few tokens).
Result<TokenizerSpec> ReadLlama2cTokenizer(std::string_view bytes);

}  // namespace atelier::text

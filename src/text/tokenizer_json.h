// A tokeniser as tokenizer.json (https://github.com/huggingface/tokenizers), the inverse of spec_json.h.
#pragma once

#include <string>

#include "base/result.h"
#include "text/tokenizer.h"

namespace atelier::text {

// What ReadTokenizerJson reads as a tokeniser that cuts texts into the same tokens. SentencePiece's BPE gets merges out
// of its scores. Tokens of the kind kUnused are left out. Errors: kUnimplemented "unknown_tokenizer_component", naming
// a pre-tokeniser that is not known.
Result<std::string> WriteTokenizerJson(const TokenizerSpec& spec);

}  // namespace atelier::text

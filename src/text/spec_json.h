// The tokeniser of a Hugging Face folder (https://github.com/huggingface/tokenizers: the format of tokenizer.json).
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/tokenizer.h"

namespace atelier::text {

// The texts of the files; all but tokenizer_json may be empty.
struct TokenizerFiles {
  std::string_view tokenizer_json;
  std::string_view tokenizer_config_json{};
  std::string_view special_tokens_map_json{};
};

// Models: BPE (over bytes, or over characters with SentencePiece's marks and byte_fallback), Unigram, WordPiece, with
// the normalisers, pre-tokenisers, post-processors and decoders that published models of these kinds have. Truncation
// and padding are left to the caller. The regexes of a Split behind ByteLevel see the text itself, not its bytes'
// characters. Errors: kInvalidArgument "invalid_tokenizer" or "invalid_json" (too large, wrong types, ids out of range
// or given twice), kUnimplemented "unknown_tokenizer_component" (a component, by name); `param` is the path within the
// file. The rest is checked by Tokenizer::Make.
Result<TokenizerSpec> ReadTokenizerJson(const TokenizerFiles& files);

}  // namespace atelier::text

// The tokeniser of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, keys tokenizer.ggml.*).
#pragma once

#include <string_view>

#include "base/result.h"
#include "tensor/gguf.h"
#include "text/tokenizer.h"

namespace atelier::engine {

// A whole tokenizer.json, which some converters keep beside the keys of ggml.
inline constexpr std::string_view kTokenizerJsonKey = "tokenizer.huggingface.json";

// Of kTokenizerJsonKey, where it is there and understood: it says exactly how texts are cut; the keys of ggml say how
// many tokens there are, what is put around a text and which tokens are special. Else of tokenizer.ggml.{model, pre,
// tokens, scores, token_type, merges, *_token_id, add_*, remove_extra_whitespaces, precompiled_charsmap}. Kinds "gpt2",
// "llama", "t5" and "bert"; what a file leaves out is as llama.cpp takes it: ids of special tokens, adding them, the
// space before a text. Tokens that are known to end a turn count as control tokens whatever their type. Errors:
// kInvalidArgument "invalid_tokenizer" or "invalid_model_file", naming the key; kUnimplemented "unknown_tokenizer" for
// another kind, by name. The rest is checked by text::Tokenizer::Make.
Result<text::TokenizerSpec> TokenizerSpecFromGguf(const tensor::GgufFile& file);

}  // namespace atelier::engine

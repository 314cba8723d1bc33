// The pre-tokenisers of byte-level BPE by the names that GGUF files give them (key tokenizer.ggml.pre; llama.cpp's
// src/llama-vocab.cpp lists the names). The regexes are those of the models' own tokenizer.json.
#pragma once

#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace atelier::text {

struct PreTokenizer {
  std::string_view name;
  std::vector<SplitStep> steps;
  bool ignore_merges = false;
  bool add_bos = false;  // where the file does not say
};

// nullptr: there is none of this name. The answer lives as long as the program.
const PreTokenizer* FindPreTokenizer(std::string_view name);

// The name of the pre-tokeniser that cuts as the spec of a tokenizer.json does: known by its regexes, whatever they are
// called elsewhere. "default" if it is none of these.
std::string_view NameOfSplits(const TokenizerSpec& spec);

// The regex of GPT-2, which ByteLevel of tokenizer.json means by use_regex.
std::string_view Gpt2Regex();

}  // namespace atelier::text

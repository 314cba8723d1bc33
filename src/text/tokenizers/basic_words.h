// BERT's cutting of a text into words (Devlin et al. 2019, tokenization.py: BasicTokenizer).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace atelier::text {

// A word, and how many characters it has.
struct BasicWord {
  std::string text;
  int32_t characters = 0;
};

// The words of `text`, normalised as the options say: white space ends them; punctuation and ideographs (if separate)
// are words of their own.
std::vector<BasicWord> BasicWords(std::string_view text, const WordPieceOptions& options);

}  // namespace atelier::text

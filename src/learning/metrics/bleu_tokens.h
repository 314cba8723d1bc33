// The tokenisers that BLEU is published with: those of sacrebleu 2 (M. Post, "A Call for Clarity in Reporting BLEU
// Scores", WMT 2018; https://github.com/mjpost/sacrebleu), so that figures can be compared with printed ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::learning {

enum class BleuTokens {
  k13a,            // mteval-v13a of NIST, for languages with spaces
  kChinese,        // "zh": ideographs one by one, the rest as 13a
  kCharacters,     // "char"
  kInternational,  // "intl", mteval-v14: punctuation and symbols of all scripts
  kNone,           // "none": white space alone
};

// Errors: kInvalidArgument on `tokenize`.
Result<BleuTokens> BleuTokensFromName(std::string_view name);
std::string_view Name(BleuTokens tokens);

// "zh" where most letters are ideographs, else "13a": what a user means who names none.
BleuTokens GuessBleuTokens(std::string_view text);

// The tokens of one segment, as UTF-8.
std::vector<std::string> Tokenize(std::string_view text, BleuTokens tokens);

}  // namespace atelier::learning

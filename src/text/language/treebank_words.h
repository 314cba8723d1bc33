// English words as the Penn Treebank cuts them: Robert MacIntyre's published rules (tokenizer.sed, 1995), with the
// additions of NLTK's word_tokenize (Unicode quotes and dashes, guillemets, final periods before quotes).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/language/rewriter.h"

namespace atelier::text::language {

// Immutable, thread-safe.
class TreebankWords {
 public:
  static Result<TreebankWords> Create();

  // The words of one sentence in UTF-8: "can't" is "ca" and "n't", a double quote is `` where it opens and '' where it
  // closes, the period at the end is a word, others stay with theirs. Errors: those of Rewriter.
  Result<std::vector<std::string>> Words(std::string_view sentence) const;

 private:
  explicit TreebankWords(Rewriter before, Rewriter after) : before_(std::move(before)), after_(std::move(after)) {}
  Rewriter before_;
  Rewriter after_;  // on the text with a space at both ends
};

}  // namespace atelier::text::language

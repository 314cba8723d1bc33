// Words that carry little meaning of their own.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::text::language {

// In lower case. English: the 198 words of NLTK's list (2024). Chinese: function words, and punctuation marks are not
// among them.
class StopWords {
 public:
  // `language`: "en" or "zh". Errors: kInvalidArgument for another.
  static Result<StopWords> Of(std::string_view language);
  // `words` in any case.
  explicit StopWords(const std::vector<std::string>& words);

  bool Contains(std::string_view word) const;  // in any case
  std::vector<std::string> Without(const std::vector<std::string>& words) const;
  const std::set<std::string, std::less<>>& words() const { return words_; }

 private:
  std::set<std::string, std::less<>> words_;
};

}  // namespace atelier::text::language

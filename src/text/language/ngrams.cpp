#include "text/language/ngrams.h"

namespace atelier::text::language {

std::vector<std::string> NGrams(const std::vector<std::string>& words, size_t least, size_t most) {
  std::vector<std::string> grams;
  for (size_t n = least; n <= most; ++n) {
    for (size_t begin = 0; begin + n <= words.size(); ++begin) {
      std::string gram = words[begin];
      for (size_t i = 1; i < n; ++i) {
        gram.append(" ").append(words[begin + i]);
      }
      grams.push_back(std::move(gram));
    }
  }
  return grams;
}

}  // namespace atelier::text::language

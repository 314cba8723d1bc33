// Counted n-grams, of words and of characters.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace atelier::learning {

using WordCounts = std::unordered_map<std::string, int64_t>;               // words joined by a space
using CharacterCounts = std::unordered_map<std::u32string_view, int64_t>;  // borrowing the text

inline WordCounts CountWords(std::span<const std::string> words, size_t n) {
  WordCounts counts;
  for (size_t i = 0; i + n <= words.size(); ++i) {
    std::string ngram = words[i];
    for (size_t j = 1; j < n; ++j) {
      ngram += ' ';
      ngram += words[i + j];
    }
    ++counts[std::move(ngram)];
  }
  return counts;
}

inline CharacterCounts CountCharacters(std::u32string_view text, size_t n) {
  CharacterCounts counts;
  for (size_t i = 0; i + n <= text.size(); ++i) {
    ++counts[text.substr(i, n)];
  }
  return counts;
}

template <class Counts>
int64_t Total(const Counts& counts) {
  int64_t total = 0;
  for (const auto& entry : counts) {
    total += entry.second;
  }
  return total;
}

// The sum over n-grams of the smaller count.
template <class Counts>
int64_t Matches(const Counts& a, const Counts& b) {
  int64_t matches = 0;
  for (const auto& [ngram, count] : a) {
    const auto other = b.find(ngram);
    matches += other == b.end() ? 0 : std::min(count, other->second);
  }
  return matches;
}

}  // namespace atelier::learning

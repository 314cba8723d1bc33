// chrF and chrF++ (M. Popovic, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015; "chrF++: words
// helping character n-grams", WMT 2017), equal to sacrebleu 2's figures: F_beta of the mean precision and the mean
// recall over the n-gram orders that both sides have; beta 2; characters to order 6 without white space, words to order
// `word_order` with the marks at their ends apart.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::learning {

inline constexpr size_t kChrfCharacterOrder = 6;
inline constexpr size_t kChrfMostWordOrder = 2;

struct ChrfOptions {
  size_t word_order = 0;  // 0: chrF; 2: chrF++
  bool lowercase = false;
};

// What a segment adds to the corpus; sums of these are enough for the score.
struct ChrfStatistics {
  struct Order {
    int64_t hypothesis = 0;
    int64_t reference = 0;
    int64_t matches = 0;
  };
  std::array<Order, kChrfCharacterOrder + kChrfMostWordOrder> orders{};

  ChrfStatistics& operator+=(const ChrfStatistics& other);
};

// Those with the reference that scores best.
ChrfStatistics ChrfOf(std::string_view hypothesis, std::span<const std::string> references, const ChrfOptions& options);
double Score(const ChrfStatistics& sum, const ChrfOptions& options);  // 0 to 100

double CorpusChrf(std::span<const std::string> hypotheses, std::span<const std::vector<std::string>> references,
                  const ChrfOptions& options);

}  // namespace atelier::learning

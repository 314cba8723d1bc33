// Which language a text is in: by its script, and where several languages share one by naive Bayes over trigrams of
// letters, whose probabilities follow from their ranks by Zipf's law (W. B. Cavnar, J. M. Trenkle, "N-Gram-Based Text
// Categorization", 1994, has the profiles; ranks as distances are less exact on short texts).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace atelier::text::language {

struct LanguageGuess {
  std::string language;   // ISO 639-1; "und" where the text has no letters
  double confidence = 0;  // 0 to 1, among the languages that are known; no calibrated probability
};

// Immutable, thread-safe.
class LanguageIdentifier {
 public:
  LanguageIdentifier();

  // By the first 8192 characters of UTF-8.
  LanguageGuess Identify(std::string_view text) const;
  static std::vector<std::string> Languages();

 private:
  static constexpr size_t kProfiles = 25;
  using Ranks = std::array<uint16_t, kProfiles>;  // 0: not among them; else one more than the rank

  LanguageGuess Compare(const std::u32string& letters, size_t first, size_t last) const;
  std::unordered_map<uint64_t, Ranks> trigrams_;
};

}  // namespace atelier::text::language

// The features that the tagger and its training share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::text::language::tagging {

// The words of a sentence as features see them, with two marks before and after.
std::vector<std::string> ContextOf(const std::vector<std::string>& words);

struct Place {
  const std::vector<std::string>& context;
  size_t index;  // of the word, without the marks
  std::string_view word;
  std::string_view previous;  // the tag before
  std::string_view second;    // and the one before that
};

// Reuses `features`, so that a pass over a text allocates little.
void FeaturesOf(const Place& place, std::vector<std::string>& features);

inline constexpr std::string_view kStart = "-START-";
inline constexpr std::string_view kStart2 = "-START2-";

}  // namespace atelier::text::language::tagging

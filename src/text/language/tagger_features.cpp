#include "text/language/tagger_features.h"

#include <algorithm>
#include <initializer_list>

#include "text/language/characters.h"
#include "text/utf8.h"

namespace atelier::text::language::tagging {
namespace {

// Words with a hyphen, years and other numbers are alike.
std::string Shape(const std::string& word) {
  if (word.empty()) {
    return word;
  }
  if (word[0] != '-' && word.find('-') != std::string::npos) {
    return "!HYPHEN";
  }
  if (IsDigit(CharacterAt(word, 0))) {
    bool digits = CountCharacters(word) == 4;
    for (size_t at = 0; at < word.size() && digits; at += ReadUtf8(word, at).length) {
      digits = IsDigit(CharacterAt(word, at));
    }
    return digits ? "!YEAR" : "!DIGITS";
  }
  return Lower(word);
}

void Assign(std::string& out, std::initializer_list<std::string_view> parts) {
  out.clear();
  for (const auto part : parts) {
    out.append(out.empty() ? "" : " ").append(part);
  }
}

}  // namespace

std::vector<std::string> ContextOf(const std::vector<std::string>& words) {
  std::vector<std::string> context{std::string(kStart), std::string(kStart2)};
  std::ranges::transform(words, std::back_inserter(context), Shape);
  context.emplace_back("-END-");
  context.emplace_back("-END2-");
  return context;
}

void FeaturesOf(const Place& place, std::vector<std::string>& features) {
  constexpr size_t kFeatures = 14;
  features.resize(kFeatures);
  const auto* around = &place.context[place.index + 2];
  const std::string_view first = place.word.substr(0, place.word.empty() ? 0 : ReadUtf8(place.word, 0).length);
  Assign(features[0], {"bias"});
  Assign(features[1], {"i suffix", LastCharacters(place.word, 3)});
  Assign(features[2], {"i pref1", first});
  Assign(features[3], {"i-1 tag", place.previous});
  Assign(features[4], {"i-2 tag", place.second});
  Assign(features[5], {"i tag+i-2 tag", place.previous, place.second});
  Assign(features[6], {"i word", around[0]});
  Assign(features[7], {"i-1 tag+i word", place.previous, around[0]});
  Assign(features[8], {"i-1 word", around[-1]});
  Assign(features[9], {"i-1 suffix", LastCharacters(around[-1], 3)});
  Assign(features[10], {"i-2 word", around[-2]});
  Assign(features[11], {"i+1 word", around[1]});
  Assign(features[12], {"i+1 suffix", LastCharacters(around[1], 3)});
  Assign(features[13], {"i+2 word", around[2]});
}

}  // namespace atelier::text::language::tagging

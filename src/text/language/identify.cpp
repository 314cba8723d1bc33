#include "text/language/identify.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <cmath>

#include "text/language/characters.h"
#include "text/language/profiles/profiles.h"
#include "text/utf8.h"

namespace atelier::text::language {
namespace {

constexpr size_t kMaxCharacters = 8192;
constexpr double kRankShift = 8;       // of Zipf's law: p ~ 1 / (rank + shift)
constexpr double kUnknownRank = 4200;  // what a trigram costs that is in no profile
constexpr double kEnglishPrior = 3;    // in nats: for texts of a word or two, which may be in any language
constexpr double kHanWeight = 3;       // a character of Chinese says as much as some of an alphabet

struct Profile {
  const char* language;
  const std::string_view& trigrams;
};
// Those of one script side by side: Latin, Cyrillic, Arabic.
constexpr size_t kLatinEnd = 19;
constexpr size_t kCyrillicEnd = 22;
constexpr size_t kArabicEnd = 25;
const std::array<Profile, kArabicEnd> kProfileList = {{
    {"en", kProfileEn}, {"de", kProfileDe}, {"fr", kProfileFr}, {"es", kProfileEs}, {"it", kProfileIt},
    {"pt", kProfilePt}, {"nl", kProfileNl}, {"sv", kProfileSv}, {"da", kProfileDa}, {"nb", kProfileNb},
    {"fi", kProfileFi}, {"pl", kProfilePl}, {"cs", kProfileCs}, {"sk", kProfileSk}, {"hu", kProfileHu},
    {"ro", kProfileRo}, {"tr", kProfileTr}, {"vi", kProfileVi}, {"id", kProfileId}, {"ru", kProfileRu},
    {"uk", kProfileUk}, {"bg", kProfileBg}, {"ar", kProfileAr}, {"fa", kProfileFa}, {"ur", kProfileUr},
}};

struct ScriptLanguage {
  UScriptCode script;
  const char* language;
};
constexpr ScriptLanguage kOneLanguage[] = {
    {USCRIPT_GREEK, "el"},  {USCRIPT_HEBREW, "he"},     {USCRIPT_THAI, "th"},
    {USCRIPT_HANGUL, "ko"}, {USCRIPT_DEVANAGARI, "hi"}, {USCRIPT_BENGALI, "bn"},
    {USCRIPT_TAMIL, "ta"},  {USCRIPT_GEORGIAN, "ka"},   {USCRIPT_ARMENIAN, "hy"}};

uint64_t Key(char32_t a, char32_t b, char32_t c) {
  return (static_cast<uint64_t>(a) << 42U) | (static_cast<uint64_t>(b) << 21U) | c;
}

// What a text is made of: letters in lower case, runs of others one space, with a space at both ends.
struct Letters {
  std::u32string text = U" ";
  std::unordered_map<int, double> scripts;
};

Letters LettersOf(std::string_view text) {
  Letters letters;
  size_t count = 0;
  for (size_t at = 0; at < text.size() && count < kMaxCharacters; ++count) {
    const Utf8Step step = ReadUtf8(text, at);
    at += step.length;
    UErrorCode status = U_ZERO_ERROR;
    const auto point = static_cast<UChar32>(step.value);
    if (step.valid && (IsLetter(step.value) || u_charType(point) == U_NON_SPACING_MARK)) {
      letters.text += static_cast<char32_t>(u_tolower(point));
      letters.scripts[uscript_getScript(point, &status)] += 1;
    } else if (letters.text.back() != U' ') {
      letters.text += U' ';
    }
  }
  letters.text += letters.text.back() == U' ' ? U"" : U" ";
  letters.scripts.erase(USCRIPT_COMMON);
  letters.scripts.erase(USCRIPT_INHERITED);
  return letters;
}

}  // namespace

LanguageIdentifier::LanguageIdentifier() {
  static_assert(kProfiles == kArabicEnd);
  for (size_t language = 0; language < kProfileList.size(); ++language) {
    const std::string_view text = kProfileList[language].trigrams;
    uint16_t rank = 0;
    for (size_t at = 0; at < text.size();) {
      std::array<char32_t, 3> gram{};
      for (auto& character : gram) {
        const Utf8Step step = ReadUtf8(text, std::min(at, text.size() - 1));
        character = step.value;
        at += step.length;
      }
      trigrams_[Key(gram[0], gram[1], gram[2])][language] = ++rank;
    }
  }
}

std::vector<std::string> LanguageIdentifier::Languages() {
  std::vector<std::string> languages = {"zh", "ja"};
  for (const auto& profile : kProfileList) {
    languages.emplace_back(profile.language);
  }
  for (const auto& one : kOneLanguage) {
    languages.emplace_back(one.language);
  }
  std::ranges::sort(languages);
  return languages;
}

LanguageGuess LanguageIdentifier::Compare(const std::u32string& letters, size_t first, size_t last) const {
  const double unknown = -std::log(kUnknownRank);
  std::array<double, kProfiles> scores{kEnglishPrior};
  for (size_t i = 0; i + 2 < letters.size(); ++i) {
    const auto found = trigrams_.find(Key(letters[i], letters[i + 1], letters[i + 2]));
    for (size_t language = first; language < last; ++language) {
      const uint16_t rank = found == trigrams_.end() ? 0 : found->second[language];
      scores[language] += rank == 0 ? unknown : -std::log(rank - 1 + kRankShift);
    }
  }
  const size_t best =
      static_cast<size_t>(std::max_element(scores.begin() + first, scores.begin() + last) - scores.begin());
  double sum = 0;
  for (size_t language = first; language < last; ++language) {
    sum += std::exp(scores[language] - scores[best]);
  }
  return {kProfileList[best].language, 1 / sum};
}

LanguageGuess LanguageIdentifier::Identify(std::string_view text) const {
  auto [letters, scripts] = LettersOf(text);
  const double kana = scripts[USCRIPT_HIRAGANA] + scripts[USCRIPT_KATAKANA];
  const double han = (scripts[USCRIPT_HAN] + scripts[USCRIPT_BOPOMOFO] + kana) * kHanWeight;
  double total = han;
  double most = han;
  int script = USCRIPT_HAN;
  for (const auto& [code, count] : scripts) {
    if (code == USCRIPT_HAN || code == USCRIPT_HIRAGANA || code == USCRIPT_KATAKANA || code == USCRIPT_BOPOMOFO) {
      continue;
    }
    total += count;
    if (count > most) {
      most = count;
      script = code;
    }
  }
  if (total == 0) {
    return {"und", 0};
  }
  const double share = most / total;
  const auto among = [&](size_t first, size_t last) {
    auto guess = Compare(letters, first, last);
    guess.confidence *= share;
    return guess;
  };
  switch (script) {
    case USCRIPT_HAN:
      return {kana * kHanWeight * 10 > han ? "ja" : "zh", share};
    case USCRIPT_LATIN:
      return among(0, kLatinEnd);
    case USCRIPT_CYRILLIC:
      return among(kLatinEnd, kCyrillicEnd);
    case USCRIPT_ARABIC:
      return among(kCyrillicEnd, kArabicEnd);
    default:
      break;
  }
  for (const auto& one : kOneLanguage) {
    if (one.script == script) {
      return {one.language, share};
    }
  }
  return {"und", 0};
}

}  // namespace atelier::text::language

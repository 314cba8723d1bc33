#include "learning/metrics/bleu_tokens.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <array>
#include <utility>

#include "learning/metrics/words.h"
#include "text/utf8.h"

namespace atelier::learning {
namespace {

constexpr std::array<std::pair<std::string_view, BleuTokens>, 5> kNames{{{"13a", BleuTokens::k13a},
                                                                         {"zh", BleuTokens::kChinese},
                                                                         {"char", BleuTokens::kCharacters},
                                                                         {"intl", BleuTokens::kInternational},
                                                                         {"none", BleuTokens::kNone}}};

bool IsDigit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool IsNoDigit(char32_t c) { return !IsDigit(c); }
bool IsPoint(char32_t c) { return c == U'.' || c == U','; }
bool IsDash(char32_t c) { return c == U'-'; }

// ASCII punctuation but for ' - . ,
bool IsMark(char32_t c) {
  return (c >= U'{' && c <= U'~') || (c >= U'[' && c <= U'`') || (c >= U' ' && c <= U'&') || (c >= U'(' && c <= U'+') ||
         (c >= U':' && c <= U'@') || c == U'/';
}

uint32_t CategoryMask(char32_t c) { return U_GET_GC_MASK(static_cast<UChar32>(c)); }
bool IsPunctuation(char32_t c) { return (CategoryMask(c) & U_GC_P_MASK) != 0; }
bool IsSymbol(char32_t c) { return (CategoryMask(c) & U_GC_S_MASK) != 0; }
bool IsNoNumber(char32_t c) { return (CategoryMask(c) & U_GC_N_MASK) == 0; }

using Predicate = bool (*)(char32_t);

std::u32string SpaceAround(std::u32string_view text, Predicate wanted) {
  std::u32string out;
  for (const char32_t c : text) {
    if (wanted(c)) {
      out += {U' ', c, U' '};
    } else {
      out += c;
    }
  }
  return out;
}

// Where pairs get their spaces, besides the one between both.
enum class Side { kBefore, kAfter };

// Finds pairs from left to right, without overlaps, and sets their parts apart.
std::u32string SplitPairs(std::u32string_view text, Predicate first, Predicate second, Side side) {
  std::u32string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 1 >= text.size() || !first(text[i]) || !second(text[i + 1])) {
      out += text[i];
      continue;
    }
    if (side == Side::kBefore) {
      out += {U' ', text[i], U' ', text[i + 1]};
    } else {
      out += {text[i], U' ', text[i + 1], U' '};
    }
    ++i;
  }
  return out;
}

std::u32string SplitWestern(std::u32string_view text) {
  std::u32string out = SpaceAround(text, IsMark);
  out = SplitPairs(out, IsNoDigit, IsPoint, Side::kAfter);
  out = SplitPairs(out, IsPoint, IsNoDigit, Side::kBefore);
  return SplitPairs(out, IsDigit, IsDash, Side::kAfter);
}

std::u32string Split13a(std::string_view segment) {
  std::string text = text::ReplaceAll(segment, "<skipped>", "");
  text = text::ReplaceAll(text, "-\n", "");
  text = text::ReplaceAll(text, "\n", " ");
  for (const auto& [entity, character] : {std::pair{"&quot;", "\""}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}}) {
    text = text::ReplaceAll(text, entity, character);
  }
  return SplitWestern(U" " + ToCharacters(text) + U" ");
}

// The characters that sacrebleu's "zh" sets apart. Two of its ranges were meant for the planes above U+FFFF, but
// spell U+2001..U+2A6D and U+2F81..U+2FA1; they stay so, for equal figures.
bool IsChinese(char32_t c) {
  static constexpr std::array<std::pair<char32_t, char32_t>, 22> kRanges{
      {{0x3400, 0x4DB5}, {0x4E00, 0x9FA5}, {0x9FA6, 0x9FBB}, {0xF900, 0xFA2D}, {0xFA30, 0xFA6A}, {0xFA70, 0xFAD9},
       {0x2001, 0x2A6D}, {0x2F81, 0x2FA1}, {0xFF00, 0xFFEF}, {0x2E80, 0x2EFF}, {0x3000, 0x303F}, {0x31C0, 0x31EF},
       {0x2F00, 0x2FDF}, {0x2FF0, 0x2FFF}, {0x3100, 0x312F}, {0x31A0, 0x31BF}, {0xFE10, 0xFE1F}, {0xFE30, 0xFE4F},
       {0x2600, 0x26FF}, {0x2700, 0x27BF}, {0x3200, 0x32FF}, {0x3300, 0x33FF}}};
  return std::ranges::any_of(kRanges, [&](const auto& range) { return c >= range.first && c <= range.second; });
}

std::u32string SplitInternational(std::u32string_view text) {
  std::u32string out = SplitPairs(text, IsNoNumber, IsPunctuation, Side::kAfter);
  out = SplitPairs(out, IsPunctuation, IsNoNumber, Side::kBefore);
  return SpaceAround(out, IsSymbol);
}

std::u32string_view StripEnd(std::u32string_view text) {
  while (!text.empty() && IsSpace(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::u32string Spaced(std::string_view segment, BleuTokens tokens) {
  const std::u32string characters = ToCharacters(segment);
  const std::u32string_view text = StripEnd(characters);
  switch (tokens) {
    case BleuTokens::k13a:
      return Split13a(ToUtf8(text));
    case BleuTokens::kChinese:
      return SplitWestern(SpaceAround(Strip(text), IsChinese));
    case BleuTokens::kCharacters:
      return SpaceAround(text, [](char32_t) { return true; });
    case BleuTokens::kInternational:
      return SplitInternational(text);
    case BleuTokens::kNone:
      break;
  }
  return std::u32string(text);
}

}  // namespace

Result<BleuTokens> BleuTokensFromName(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name, &std::pair<std::string_view, BleuTokens>::first);
  if (found == kNames.end()) {
    return InvalidArgument("'tokenize' must be 13a, zh, char, intl or none", "tokenize");
  }
  return found->second;
}

std::string_view Name(BleuTokens tokens) {
  return std::ranges::find(kNames, tokens, &std::pair<std::string_view, BleuTokens>::second)->first;
}

BleuTokens GuessBleuTokens(std::string_view text) {
  int64_t ideographs = 0;
  int64_t others = 0;
  for (const char32_t c : ToCharacters(text)) {
    if (IsIdeograph(c)) {
      ++ideographs;
    } else if (u_isalpha(static_cast<UChar32>(c)) != 0) {
      ++others;
    }
  }
  // A word of letters says as much as one or two ideographs.
  return 2 * ideographs > others ? BleuTokens::kChinese : BleuTokens::k13a;
}

std::vector<std::string> Tokenize(std::string_view text, BleuTokens tokens) {
  std::vector<std::string> words;
  for (const auto& word : SplitWords(Spaced(text, tokens))) {
    words.push_back(ToUtf8(word));
  }
  return words;
}

}  // namespace atelier::learning

#include "text/tokenizers/basic_words.h"

#include <unicode/uchar.h>

#include <algorithm>

#include "text/tokenizers/normalizer.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

struct Range {
  char32_t first, last;
};
// The blocks that BERT takes for Chinese characters; 2B920 is what the published vocabularies were made with.
constexpr Range kIdeographs[] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
                                 {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};

bool IsIdeograph(char32_t character) {
  return std::ranges::any_of(kIdeographs,
                             [=](const Range& range) { return range.first <= character && character <= range.last; });
}

bool HasCategory(char32_t character, uint32_t mask) {
  return (U_GET_GC_MASK(static_cast<UChar32>(character)) & mask) != 0;
}

// What BERT drops: control and format characters, private ones, NUL and U+FFFD; not tab and line breaks.
bool IsDropped(char32_t character) {
  if (character == '\t' || character == '\n' || character == '\r') {
    return false;
  }
  return character == 0 || character == 0xFFFD ||
         HasCategory(character, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK | U_GC_CS_MASK);
}

bool IsPunctuation(char32_t character) {
  if (character < 0x80) {
    return character > ' ' && character < 0x7F && !u_isalnum(static_cast<UChar32>(character));
  }
  return HasCategory(character, U_GC_P_MASK);
}

}  // namespace

std::vector<BasicWord> BasicWords(std::string_view text, const WordPieceOptions& options) {
  const std::string decomposed = options.strip_accents ? DecomposeCanonically(text) : std::string(text);
  std::vector<BasicWord> words;
  bool open = false;  // the last word goes on
  const auto append = [&](char32_t character) {
    if (!open) {
      words.emplace_back();
    }
    AppendUtf8(words.back().text, options.lowercase ? LowerCase(character) : character);
    ++words.back().characters;
    open = true;
  };
  for (size_t at = 0; at < decomposed.size();) {
    const Utf8Step step = ReadUtf8(decomposed, at);
    at += step.length;
    const char32_t character = step.value;
    if ((options.clean_text && IsDropped(character)) ||
        (options.strip_accents && HasCategory(character, U_GC_MN_MASK))) {
      continue;
    }
    if (u_isUWhiteSpace(static_cast<UChar32>(character))) {
      open = false;
    } else if (IsPunctuation(character) || (options.separate_chinese && IsIdeograph(character))) {
      open = false;
      append(character);
      open = false;
    } else {
      append(character);
    }
  }
  return words;
}

}  // namespace atelier::text

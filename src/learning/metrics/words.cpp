#include "learning/metrics/words.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "text/utf8.h"

namespace atelier::learning {

std::u32string ToCharacters(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto step = text::ReadUtf8(text, at);
    characters += step.value;
    at += step.length;
  }
  return characters;
}

std::string ToUtf8(std::u32string_view characters) {
  std::string text;
  text.reserve(characters.size());
  for (const char32_t character : characters) {
    text::AppendUtf8(text, character);
  }
  return text;
}

bool IsSpace(char32_t character) {
  return (character >= 0x1C && character <= 0x1F) || u_isUWhiteSpace(static_cast<UChar32>(character)) != 0;
}

bool IsIdeograph(char32_t character) {
  const auto c = static_cast<UChar32>(character);
  return u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) != 0 || (c >= 0x3040 && c <= 0x30FF) || (c >= 0xAC00 && c <= 0xD7A3);
}

std::u32string_view Strip(std::u32string_view text) {
  while (!text.empty() && IsSpace(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && IsSpace(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::vector<std::u32string> SplitWords(std::u32string_view text) {
  std::vector<std::u32string> words;
  bool inside = false;
  for (const char32_t character : text) {
    if (IsSpace(character)) {
      inside = false;
      continue;
    }
    if (!inside) {
      words.emplace_back();
    }
    words.back() += character;
    inside = true;
  }
  return words;
}

std::string Lower(std::string_view text) {
  std::string lower;
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
      .toLower(icu::Locale::getRoot())
      .toUTF8String(lower);
  return lower;
}

}  // namespace atelier::learning

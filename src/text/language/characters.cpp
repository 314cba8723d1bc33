#include "text/language/characters.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <cstdint>

#include "text/utf8.h"

namespace atelier::text::language {
namespace {

UChar32 Point(char32_t value) { return static_cast<UChar32>(value); }

bool IsContinuation(char byte) { return (static_cast<uint8_t>(byte) & 0xC0U) == 0x80U; }

}  // namespace

bool IsSpace(char32_t value) {
  return value < 0x80 ? value == ' ' || (value >= 0x09 && value <= 0x0D) || (value >= 0x1C && value <= 0x1F)
                      : u_isUWhiteSpace(Point(value)) != 0;
}
bool IsDigit(char32_t value) {
  return value < 0x80 ? value >= '0' && value <= '9' : u_charType(Point(value)) == U_DECIMAL_DIGIT_NUMBER;
}
bool IsLetter(char32_t value) { return u_isalpha(Point(value)) != 0; }
bool IsUpper(char32_t value) { return u_isUUppercase(Point(value)) != 0; }
bool IsLower(char32_t value) { return u_isULowercase(Point(value)) != 0; }
bool IsWordCharacter(char32_t value) {
  return value == '_' || IsLetter(value) || (U_GET_GC_MASK(Point(value)) & U_GC_N_MASK) != 0;
}
bool IsHan(char32_t value) {
  if (value < 0x2E80) {
    return false;
  }
  UErrorCode status = U_ZERO_ERROR;
  return uscript_getScript(Point(value), &status) == USCRIPT_HAN && U_SUCCESS(status);
}

char32_t CharacterAt(std::string_view text, size_t at) { return ReadUtf8(text, at).value; }

char32_t CharacterBefore(std::string_view text, size_t at) {
  size_t begin = at - 1;
  for (int i = 0; i < 3 && begin > 0 && IsContinuation(text[begin]); ++i) {
    --begin;
  }
  const Utf8Step step = ReadUtf8(text, begin);
  return begin + step.length == at ? step.value : 0xFFFD;
}

std::string Lower(std::string_view text) {
  std::string out;
  if (text.size() > INT32_MAX) {
    return std::string(text);
  }
  icu::StringByteSink<std::string> sink(&out, static_cast<int32_t>(text.size()));
  UErrorCode status = U_ZERO_ERROR;
  icu::CaseMap::utf8ToLower("", 0, icu::StringPiece(text.data(), static_cast<int32_t>(text.size())), sink, nullptr,
                            status);
  return U_SUCCESS(status) ? out : std::string(text);
}

std::vector<std::string_view> SplitSpace(std::string_view text) {
  std::vector<std::string_view> parts;
  size_t begin = std::string_view::npos;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = ReadUtf8(text, at);
    if (!IsSpace(step.value)) {
      begin = begin == std::string_view::npos ? at : begin;
    } else if (begin != std::string_view::npos) {
      parts.push_back(text.substr(begin, at - begin));
      begin = std::string_view::npos;
    }
    at += step.length;
  }
  if (begin != std::string_view::npos) {
    parts.push_back(text.substr(begin));
  }
  return parts;
}

std::string_view StripSpace(std::string_view text) {
  while (!text.empty() && IsSpace(CharacterAt(text, 0))) {
    text.remove_prefix(ReadUtf8(text, 0).length);
  }
  while (!text.empty()) {
    const char32_t last = CharacterBefore(text, text.size());
    if (!IsSpace(last)) {
      break;
    }
    text.remove_suffix(last < 0x80 ? 1 : last < 0x800 ? 2 : 3);
  }
  return text;
}

size_t CountCharacters(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += ReadUtf8(text, at).length) {
    ++count;
  }
  return count;
}

std::string_view LastCharacters(std::string_view text, size_t count) {
  size_t begin = text.size();
  for (; begin > 0 && count > 0; --count) {
    do {
      --begin;
    } while (begin > 0 && IsContinuation(text[begin]));
  }
  return text.substr(begin);
}

}  // namespace atelier::text::language

// UTF-8 of text that may be broken: RFC 3629, and the Unicode Standard's section 3.9 on ill-formed sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::text {

// What stands at one place of a text.
struct Utf8Step {
  char32_t value = 0xFFFD;
  uint32_t length = 1;  // of the character; of an ill-formed sequence: of its maximal subpart, at least 1
  bool valid = false;
  bool truncated = false;  // not valid only because the text ends: it could still become a character
};

// Reads text[at]; `at` must be less than text.size().
Utf8Step ReadUtf8(std::string_view text, size_t at);

// `value` must be a scalar value: no surrogate, at most U+10FFFF.
void AppendUtf8(std::string& out, char32_t value);

// `text` with each ill-formed sequence replaced by U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

// The end of the longest run from `at` that is all well-formed, or all ill-formed; `valid` says which.
size_t RunEnd(std::string_view text, size_t at, bool& valid);

// Replaces each `from` (not empty) by `to`.
std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to);

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD
inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";             // U+2581, SentencePiece's space

}  // namespace atelier::text

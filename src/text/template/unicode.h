// Strings of templates as Python sees them: sequences of code points, held as UTF-8. A byte that is no UTF-8 counts as
// one code point, so that no input breaks an index.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::text::jinja {

struct CodePoint {
  char32_t value = 0;  // U+FFFD for a byte that is no UTF-8
  size_t bytes = 1;
};

// The code point that begins at byte `at`, which must be inside `text`.
CodePoint DecodeAt(std::string_view text, size_t at);

// Surrogates and values beyond U+10FFFF become U+FFFD.
void AppendUtf8(std::string& out, char32_t value);

size_t CountCodePoints(std::string_view text);

// The byte offset of every code point, and text.size() at the end.
std::vector<size_t> CodePointOffsets(std::string_view text);

// str.isspace() and str.isprintable() of Python, which decides what repr() escapes; unassigned code points count as
// printable here.
bool IsSpace(char32_t value);
bool IsPrintable(char32_t value);

// Without white space, or without the code points of `characters`, at its ends.
enum class Ends { kLeft, kRight, kBoth };
std::string_view StripSpace(std::string_view text, Ends ends);
std::string_view StripCharacters(std::string_view text, std::string_view characters, Ends ends);

// Simple case mapping of Unicode 14, and "SS" for the upper case of U+00DF.
char32_t ToLower(char32_t value);
char32_t ToUpper(char32_t value);
std::string Lower(std::string_view text);
std::string Upper(std::string_view text);
std::string Capitalize(std::string_view text);  // the first code point upper, the rest lower

}  // namespace atelier::text::jinja

// Characters and simple cuts of UTF-8 text that the language tools share. Ill-formed sequences count as U+FFFD.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::text::language {

// A part of a text, in bytes.
struct Span {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const Span&) const = default;
  std::string_view In(std::string_view text) const { return text.substr(begin, end - begin); }
};

bool IsSpace(char32_t value);   // Unicode's White_Space, and U+001C to U+001F as Python has it
bool IsDigit(char32_t value);   // general category Nd
bool IsLetter(char32_t value);  // general category L
bool IsUpper(char32_t value);
bool IsLower(char32_t value);
bool IsWordCharacter(char32_t value);  // a letter, a number or the underscore
bool IsHan(char32_t value);

char32_t CharacterAt(std::string_view text, size_t at);  // `at` must be inside the text
// The character that ends before `at`, which is not 0.
char32_t CharacterBefore(std::string_view text, size_t at);

// Full lower case of the root locale.
std::string Lower(std::string_view text);
// The parts between runs of white space.
std::vector<std::string_view> SplitSpace(std::string_view text);
std::string_view StripSpace(std::string_view text);
size_t CountCharacters(std::string_view text);
// The last `count` characters, or all.
std::string_view LastCharacters(std::string_view text, size_t count);

}  // namespace atelier::text::language

// What the metrics of texts share: characters, white space as Python's str.split sees it, lower case.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::learning {

// The characters of UTF-8; ill-formed sequences become U+FFFD.
std::u32string ToCharacters(std::string_view text);
std::string ToUtf8(std::u32string_view characters);

// Unicode's White_Space and U+001C to U+001F.
bool IsSpace(char32_t character);

// Ideographs, kana and hangul: scripts that write no spaces between words, or that are scored by character.
bool IsIdeograph(char32_t character);

std::u32string_view Strip(std::u32string_view text);
// What stands between white space; never empty words.
std::vector<std::u32string> SplitWords(std::u32string_view text);

// Unicode's full lower case, without a language.
std::string Lower(std::string_view text);

}  // namespace atelier::learning

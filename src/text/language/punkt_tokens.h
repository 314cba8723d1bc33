// Punkt's view of a text: words with their final period, and marks on them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/language/punkt.h"

namespace atelier::text::language::punkt {

inline constexpr std::string_view kNumber = "##number##";

struct Token {
  std::string_view text;
  std::string type;  // lower case; kNumber for numbers
  bool period_final = false;
  bool paragraph_start = false;
  bool line_start = false;
  bool sentence_end = false;
  bool abbreviation = false;
  bool ellipsis = false;

  bool IsNumber() const { return type.starts_with(kNumber); }
  bool IsInitial() const;     // one letter and a period
  bool IsAlphabetic() const;  // letters only
  bool IsNonPunctuation() const;
  bool FirstUpper() const;
  bool FirstLower() const;
  std::string_view TypeNoPeriod() const;
  // The type without its period if a sentence ends here.
  std::string_view TypeNoSentencePeriod() const { return sentence_end ? TypeNoPeriod() : std::string_view(type); }
};

// What may stand directly after the end of a sentence: closing punctuation, quotes, brackets, ? and !.
bool IsNonWord(char32_t value);

// Borrows `text`. All or, from `begin` on, some.
std::vector<Token> Tokenize(std::string_view text);

// The first pass: what the type of each token alone says.
void MarkByType(std::vector<Token>& tokens, const PunktParameters& parameters);

}  // namespace atelier::text::language::punkt

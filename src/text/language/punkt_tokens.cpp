#include "text/language/punkt_tokens.h"

#include "text/utf8.h"

namespace atelier::text::language::punkt {
namespace {

bool IsLetterLike(char32_t value) { return IsWordCharacter(value) && !IsDigit(value); }

// -?[.,]?\d[\d,.-]*
bool IsNumeric(std::string_view text) {
  size_t at = 0;
  if (at < text.size() && text[at] == '-') {
    ++at;
  }
  if (at < text.size() && (text[at] == '.' || text[at] == ',')) {
    ++at;
  }
  if (at >= text.size() || !IsDigit(CharacterAt(text, at))) {
    return false;
  }
  while (at < text.size()) {
    const Utf8Step step = ReadUtf8(text, at);
    if (!IsDigit(step.value) && step.value != ',' && step.value != '.' && step.value != '-') {
      return false;
    }
    at += step.length;
  }
  return true;
}

char At(std::string_view text, size_t at) { return at < text.size() ? text[at] : '\0'; }

// The end of a run of hyphens or periods, at least two, or of three or more periods with white space between; `at`
// where there is none.
size_t MultiEnd(std::string_view text, size_t at) {
  const char first = At(text, at);
  if ((first == '-' || first == '.') && At(text, at + 1) == first) {
    const size_t end = text.find_first_not_of(first, at);
    return end == std::string_view::npos ? text.size() : end;
  }
  if (first != '.') {
    return at;
  }
  size_t end = at;
  size_t next = at;
  for (int periods = 0; At(text, next) == '.'; ++periods) {
    end = periods >= 2 ? next + 1 : end;
    if (next + 1 >= text.size()) {
      break;
    }
    const Utf8Step step = ReadUtf8(text, next + 1);
    if (!IsSpace(step.value)) {
      break;
    }
    next += 1 + step.length;
  }
  return end;
}

bool HasMulti(std::string_view text, size_t at) {
  const char first = At(text, at);
  if (first != '-' && first != '.') {
    return false;
  }
  if (At(text, at + 1) == first) {
    return true;
  }
  // ". . ." needs no more than its beginning.
  return first == '.' && MultiEnd(text.substr(0, at + 16), at) != at;
}

// Whether a word ends before `at`.
bool EndsAt(std::string_view text, size_t at, bool after_comma) {
  if (at >= text.size()) {
    return true;
  }
  const Utf8Step step = ReadUtf8(text, at);
  if (IsSpace(step.value) || IsNonWord(step.value) || HasMulti(text, at)) {
    return true;
  }
  return step.value == ',' && !after_comma && EndsAt(text, at + 1, true);
}

bool StartsWord(char32_t value) {
  constexpr std::u32string_view kNot = U"(\"`{[:;&#*@)}]-,";
  return kNot.find(value) == std::u32string_view::npos;
}

size_t TokenEnd(std::string_view text, size_t at) {
  if (const size_t multi = MultiEnd(text, at); multi != at) {
    return multi;
  }
  Utf8Step step = ReadUtf8(text, at);
  size_t end = at + step.length;
  if (!StartsWord(step.value)) {
    return end;
  }
  while (!EndsAt(text, end, false)) {
    end += ReadUtf8(text, end).length;
  }
  return end;
}

Token MakeToken(std::string_view text) {
  Token token;
  token.text = text;
  token.type = Lower(text);
  if (IsNumeric(token.type)) {
    token.type = kNumber;
  }
  token.period_final = text.ends_with('.');
  return token;
}

// False for a line of white space.
bool TokenizeLine(std::string_view line, bool paragraph_start, std::vector<Token>& tokens) {
  bool first = true;
  for (size_t at = 0; at < line.size();) {
    const Utf8Step step = ReadUtf8(line, at);
    if (IsSpace(step.value)) {
      at += step.length;
      continue;
    }
    const size_t end = TokenEnd(line, at);
    tokens.push_back(MakeToken(line.substr(at, end - at)));
    tokens.back().line_start = first;
    tokens.back().paragraph_start = first && paragraph_start;
    first = false;
    at = end;
  }
  return !first;
}

}  // namespace

bool IsNonWord(char32_t value) {
  constexpr std::u32string_view kNonWord = U")\";}]*:@'({[\u2018\u2019\u201C\u201D\u00AB\u00BB?!";
  return kNonWord.find(value) != std::u32string_view::npos;
}

bool Token::IsInitial() const {
  if (text.size() < 2 || text.back() != '.') {
    return false;
  }
  const Utf8Step step = ReadUtf8(text, 0);
  return step.length + 1 == text.size() && IsLetterLike(step.value);
}

bool Token::IsAlphabetic() const {
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = ReadUtf8(text, at);
    if (!IsLetterLike(step.value)) {
      return false;
    }
    at += step.length;
  }
  return !text.empty();
}

bool Token::IsNonPunctuation() const {
  for (size_t at = 0; at < type.size();) {
    const Utf8Step step = ReadUtf8(type, at);
    if (IsLetterLike(step.value)) {
      return true;
    }
    at += step.length;
  }
  return false;
}

bool Token::FirstUpper() const { return IsUpper(CharacterAt(text, 0)); }
bool Token::FirstLower() const { return IsLower(CharacterAt(text, 0)); }

std::string_view Token::TypeNoPeriod() const {
  std::string_view word = type;
  if (word.size() > 1 && word.back() == '.') {
    word.remove_suffix(1);
  }
  return word;
}

std::vector<Token> Tokenize(std::string_view text) {
  std::vector<Token> tokens;
  bool paragraph_start = false;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    paragraph_start = !TokenizeLine(text.substr(begin, end - begin), paragraph_start, tokens);
    begin = end + 1;
  }
  return tokens;
}

void MarkByType(std::vector<Token>& tokens, const PunktParameters& parameters) {
  for (auto& token : tokens) {
    if (token.text == "." || token.text == "?" || token.text == "!") {
      token.sentence_end = true;
    } else if (token.text.starts_with("..") && token.text.find_first_not_of('.') == std::string_view::npos) {
      token.ellipsis = true;
    } else if (token.period_final && !token.text.ends_with("..")) {
      std::string word = Lower(token.text);
      word.pop_back();
      const size_t hyphen = word.rfind('-');
      const auto& known = parameters.abbreviations;
      token.abbreviation =
          known.contains(word) || (hyphen != std::string::npos && known.contains(word.substr(hyphen + 1)));
      token.sentence_end = !token.abbreviation;
    }
  }
}

}  // namespace atelier::text::language::punkt

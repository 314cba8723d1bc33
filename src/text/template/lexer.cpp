#include "text/template/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "text/template/literals.h"
#include "text/template/unicode.h"

namespace atelier::text::jinja {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// With "\n" for every line end, and without the last one.
std::string NormalizeLines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out.push_back('\n');
      i += i + 1 < source.size() && source[i + 1] == '\n' ? 1 : 0;
    } else {
      out.push_back(source[i]);
    }
  }
  if (!out.empty() && out.back() == '\n') {
    out.pop_back();
  }
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(NormalizeLines(source)) {}

  Result<std::vector<Token>> Run() {
    while (position_ < source_.size()) {
      ATELIER_TRY(LexTextAndTag());
    }
    Emit(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  Status LexTextAndTag();
  Status LexComment();
  Status LexRaw(size_t body);
  Status LexCode(TokenKind end);
  Status LexString();
  void LexNumber();
  bool LexOperator();
  Status Balance(char bracket);
  bool AtEnd(TokenKind end);

  std::optional<size_t> RawBodyAt(size_t tag) const;
  size_t SkipSpace(size_t at) const {
    const std::string_view rest = std::string_view(source_).substr(at);
    return at + (rest.size() - StripSpace(rest, Ends::kLeft).size());
  }
  bool StartsWith(size_t at, std::string_view text) const {
    return std::string_view(source_).substr(std::min(at, source_.size())).starts_with(text);
  }
  char At(size_t at) const { return at < source_.size() ? source_[at] : '\0'; }
  // The text before a tag, as the sign behind the tag's brace and the kind of the tag want it.
  std::string_view TextBefore(size_t begin, size_t end, char sign, bool is_output) const;
  void Emit(TokenKind kind, std::string_view text) { tokens_.push_back({kind, std::string(text), line_}); }
  void Advance(size_t to) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(position_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    position_ = to;
  }

  std::string source_;
  size_t position_ = 0;
  int line_ = 1;
  std::vector<Token> tokens_;
  std::string brackets_;  // that are open in the tag
};

std::string_view Lexer::TextBefore(size_t begin, size_t end, char sign, bool is_output) const {
  const std::string_view text = std::string_view(source_).substr(begin, end - begin);
  if (sign == '-') {
    return StripSpace(text, Ends::kRight);
  }
  if (sign == '+' || is_output) {
    return text;
  }
  const size_t line_end = text.rfind('\n');
  const size_t line_start = line_end == std::string_view::npos ? 0 : line_end + 1;
  const bool at_line_start = line_start > 0 || begin == 0 || source_[begin - 1] == '\n';
  if (at_line_start && StripSpace(text.substr(line_start), Ends::kLeft).empty()) {
    return text.substr(0, line_start);
  }
  return text;
}

Status Lexer::LexTextAndTag() {
  size_t tag = position_;
  for (;; ++tag) {
    tag = source_.find('{', tag);
    if (tag == std::string::npos) {
      Emit(TokenKind::kText, std::string_view(source_).substr(position_));
      Advance(source_.size());
      return {};
    }
    if (At(tag + 1) == '{' || At(tag + 1) == '%' || At(tag + 1) == '#') {
      break;
    }
  }
  const char kind = At(tag + 1);
  const char sign = At(tag + 2) == '-' || At(tag + 2) == '+' ? At(tag + 2) : '\0';
  const std::string_view text = TextBefore(position_, tag, sign, kind == '{');
  if (!text.empty()) {
    Emit(TokenKind::kText, text);
  }
  const size_t inside = tag + (sign == '\0' ? 2 : 3);
  Advance(tag);
  if (kind == '#') {
    Advance(inside);
    return LexComment();
  }
  if (kind == '{') {
    Emit(TokenKind::kOutputBegin, "{{");
    Advance(inside);
    return LexCode(TokenKind::kOutputEnd);
  }
  if (const auto body = RawBodyAt(inside)) {
    return LexRaw(*body);
  }
  Emit(TokenKind::kTagBegin, "{%");
  Advance(inside);
  return LexCode(TokenKind::kTagEnd);
}

Status Lexer::LexComment() {
  const size_t end = source_.find("#}", position_);
  if (end == std::string::npos) {
    return SyntaxError(line_, "a comment is not closed by '#}'");
  }
  const char sign = end > position_ ? source_[end - 1] : '\0';
  size_t after = end + 2;
  if (sign == '-') {
    after = SkipSpace(after);
  } else if (sign != '+' && At(after) == '\n') {
    ++after;
  }
  Advance(after);
  return {};
}

// Where the text of a raw block begins, if the tag whose inside begins at `tag` opens one.
std::optional<size_t> Lexer::RawBodyAt(size_t tag) const {
  size_t at = SkipSpace(tag);
  if (!StartsWith(at, "raw")) {
    return std::nullopt;
  }
  at = SkipSpace(at + 3);
  if (StartsWith(at, "-%}")) {
    return SkipSpace(at + 3);
  }
  return StartsWith(at, "%}") ? std::optional(at + 2) : std::nullopt;
}

Status Lexer::LexRaw(size_t body) {
  for (size_t tag = source_.find("{%", body); tag != std::string::npos; tag = source_.find("{%", tag + 1)) {
    const char sign = At(tag + 2) == '-' || At(tag + 2) == '+' ? At(tag + 2) : '\0';
    size_t at = SkipSpace(tag + (sign == '\0' ? 2 : 3));
    if (!StartsWith(at, "endraw")) {
      continue;
    }
    at = SkipSpace(at + 6);
    size_t after = std::string::npos;
    if (StartsWith(at, "-%}")) {
      after = SkipSpace(at + 3);
    } else if (StartsWith(at, "+%}")) {
      after = at + 3;
    } else if (StartsWith(at, "%}")) {
      after = at + 2 + (At(at + 2) == '\n' ? 1 : 0);
    }
    if (after != std::string::npos) {
      Emit(TokenKind::kText, TextBefore(body, tag, sign, false));
      Advance(after);
      return {};
    }
  }
  return SyntaxError(line_, "a raw block is not closed by 'endraw'");
}

// Steps over the end of the tag, if it is here.
bool Lexer::AtEnd(TokenKind end) {
  if (!brackets_.empty()) {
    return false;
  }
  const std::string_view mark = end == TokenKind::kTagEnd ? "%}" : "}}";
  const char sign = At(position_) == '-' || (At(position_) == '+' && end == TokenKind::kTagEnd) ? At(position_) : '\0';
  const size_t at = position_ + (sign == '\0' ? 0 : 1);
  if (!StartsWith(at, mark)) {
    return false;
  }
  size_t after = at + 2;
  if (sign == '-') {
    after = SkipSpace(after);
  } else if (sign == '\0' && end == TokenKind::kTagEnd && At(after) == '\n') {
    ++after;
  }
  Emit(end, mark);
  Advance(after);
  return true;
}

Status Lexer::LexCode(TokenKind end) {
  const int begin_line = line_;
  brackets_.clear();
  for (;;) {
    Advance(SkipSpace(position_));
    if (position_ >= source_.size()) {
      return SyntaxError(begin_line,
                         end == TokenKind::kTagEnd ? "a tag is not closed by '%}'" : "an output is not closed by '}}'");
    }
    if (AtEnd(end)) {
      return {};
    }
    const char c = At(position_);
    if (c == '"' || c == '\'') {
      ATELIER_TRY(LexString());
    } else if (IsDigit(c)) {
      LexNumber();
    } else if (IsNameCharacter(c)) {
      size_t last = position_;
      while (IsNameCharacter(At(last))) {
        ++last;
      }
      Emit(TokenKind::kName, std::string_view(source_).substr(position_, last - position_));
      Advance(last);
    } else {
      ATELIER_TRY(Balance(c));
      if (!LexOperator()) {
        return SyntaxError(line_, "unexpected character '" + source_.substr(position_, 1) + "'");
      }
    }
  }
}

Status Lexer::Balance(char bracket) {
  constexpr std::string_view kOpen = "([{";
  constexpr std::string_view kClose = ")]}";
  if (kOpen.find(bracket) != std::string_view::npos) {
    brackets_.push_back(bracket);
  } else if (const size_t kind = kClose.find(bracket); kind != std::string_view::npos) {
    if (brackets_.empty() || brackets_.back() != kOpen[kind]) {
      return SyntaxError(line_, std::string("unexpected '") + bracket + "'");
    }
    brackets_.pop_back();
  }
  return {};
}

bool Lexer::LexOperator() {
  constexpr std::array<std::string_view, 26> kOperators{"//", "**", "==", "!=", ">=", "<=", "+", "-", "*",
                                                        "/",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                        ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
  for (const std::string_view symbol : kOperators) {
    if (StartsWith(position_, symbol)) {
      Emit(TokenKind::kOperator, symbol);
      Advance(position_ + symbol.size());
      return true;
    }
  }
  return false;
}

void Lexer::LexNumber() {
  const bool after_dot = position_ > 0 && source_[position_ - 1] == '.';
  const NumberLiteral number = ScanNumber(std::string_view(source_).substr(position_), !after_dot);
  Emit(number.is_float ? TokenKind::kFloat : TokenKind::kInteger, number.digits);
  Advance(position_ + number.bytes);
}

Status Lexer::LexString() {
  const char quote = source_[position_];
  size_t end = position_ + 1;
  while (end < source_.size() && source_[end] != quote) {
    end += source_[end] == '\\' ? 2 : 1;
  }
  if (end >= source_.size()) {
    return SyntaxError(line_, "a string is not closed");
  }
  auto meaning = Unescape(std::string_view(source_).substr(position_ + 1, end - position_ - 1));
  if (!meaning.ok()) {
    return SyntaxError(line_, meaning.error().message);
  }
  Emit(TokenKind::kString, *meaning);
  Advance(end + 1);
  return {};
}

}  // namespace

Error SyntaxError(int line, const std::string& message) {
  return InvalidArgument("line " + std::to_string(line) + ": " + message, "", "invalid_template");
}

Result<std::vector<Token>> Tokenize(std::string_view source) { return Lexer(source).Run(); }

}  // namespace atelier::text::jinja

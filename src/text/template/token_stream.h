// Reads tokens one after the other; the last one is kEnd and stays.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/template/lexer.h"

namespace atelier::text::jinja {

class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& Peek(size_t ahead = 0) const { return tokens_[std::min(position_ + ahead, tokens_.size() - 1)]; }
  const Token& Next() {
    const Token& token = Peek();
    position_ = std::min(position_ + 1, tokens_.size() - 1);
    return token;
  }
  int line() const { return Peek().line; }

  bool Is(TokenKind kind, std::string_view text, size_t ahead = 0) const {
    return Peek(ahead).kind == kind && Peek(ahead).text == text;
  }
  bool IsOperator(std::string_view text, size_t ahead = 0) const { return Is(TokenKind::kOperator, text, ahead); }
  bool IsName(std::string_view text, size_t ahead = 0) const { return Is(TokenKind::kName, text, ahead); }
  bool SkipOperator(std::string_view text) { return SkipIf(IsOperator(text)); }
  bool SkipName(std::string_view text) { return SkipIf(IsName(text)); }

  Status ExpectOperator(std::string_view text) {
    return SkipOperator(text) ? Status() : Unexpected("'" + std::string(text) + "'");
  }
  Status ExpectTagEnd() { return SkipIf(Peek().kind == TokenKind::kTagEnd) ? Status() : Unexpected("'%}'"); }
  Result<std::string> ExpectName() {
    if (Peek().kind != TokenKind::kName) {
      return Unexpected("a name");
    }
    return Next().text;
  }

  Error Unexpected(const std::string& wanted) const {
    const Token& token = Peek();
    const std::string found = token.kind == TokenKind::kEnd ? "the end of the template" : "'" + Short(token.text) + "'";
    return SyntaxError(token.line, "expected " + wanted + ", found " + found);
  }

 private:
  // The start of a token, cut before a code point.
  static std::string Short(const std::string& text) {
    size_t end = std::min<size_t>(text.size(), 40);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;
    }
    return text.substr(0, end);
  }
  bool SkipIf(bool condition) {
    if (condition) {
      Next();
    }
    return condition;
  }

  std::vector<Token> tokens_;
  size_t position_ = 0;
};

}  // namespace atelier::text::jinja

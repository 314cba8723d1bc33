// Splits the source of a template into text and the tokens of its tags, as jinja2 does with trim_blocks and
// lstrip_blocks set (https://jinja.palletsprojects.com/en/3.1.x/templates/#whitespace-control). Comments vanish here,
// raw blocks become text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::text::jinja {

enum class TokenKind {
  kText,
  kOutputBegin,  // {{
  kOutputEnd,
  kTagBegin,  // {%
  kTagEnd,
  kName,
  kString,  // `text` holds what the literal means
  kInteger,
  kFloat,
  kOperator,
  kEnd,  // always the last
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  int line = 1;
};

// The reason of every error of the syntax.
Error SyntaxError(int line, const std::string& message);

// Errors: kInvalidArgument "invalid_template", with the line.
Result<std::vector<Token>> Tokenize(std::string_view source);

}  // namespace atelier::text::jinja

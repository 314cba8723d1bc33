// The part of the expressions that binds tightest: literals, names, attributes, subscripts, calls; and targets.
#include <algorithm>

#include "text/template/expression_parser.h"
#include "text/template/literals.h"
#include "text/template/parser.h"

namespace atelier::text::jinja {
Result<ExprPtr> ExpressionParser::ParsePostfixed() {
  ATELIER_ASSIGN(primary, ParsePrimary());
  return ParsePostfix(std::move(primary));
}

Result<ExprPtr> ExpressionParser::ParsePrimary() {
  const Token& token = stream_.Peek();
  switch (token.kind) {
    case TokenKind::kName:
      return ParseName();
    case TokenKind::kString: {
      const int line = token.line;
      std::string text;
      while (stream_.Peek().kind == TokenKind::kString) {
        text += stream_.Next().text;
      }
      return MakeExpr(line, Constant{Value::Constant(text)}, 0);
    }
    case TokenKind::kInteger:
    case TokenKind::kFloat:
      return ParseNumber();
    default:
      break;
  }
  if (stream_.IsOperator("(")) {
    return ParseParenthesized();
  }
  if (stream_.IsOperator("[")) {
    return ParseList();
  }
  if (stream_.IsOperator("{")) {
    return ParseDict();
  }
  return stream_.Unexpected("an expression");
}

Result<ExprPtr> ExpressionParser::ParseNumber() {
  const Token& token = stream_.Next();
  if (token.kind == TokenKind::kFloat) {
    auto number = ParseFloat(token.text);
    return number.ok() ? MakeExpr(token.line, Constant{Value(*number)}, 0)
                       : SyntaxError(token.line, number.error().message);
  }
  auto number = ParseInt(token.text);
  return number.ok() ? MakeExpr(token.line, Constant{Value(*number)}, 0)
                     : SyntaxError(token.line, number.error().message);
}

Result<ExprPtr> ExpressionParser::ParseName() {
  const Token& token = stream_.Next();
  const std::string& name = token.text;
  if (name == "true" || name == "True") {
    return MakeExpr(token.line, Constant{Value(true)}, 0);
  }
  if (name == "false" || name == "False") {
    return MakeExpr(token.line, Constant{Value(false)}, 0);
  }
  if (name == "none" || name == "None") {
    return MakeExpr(token.line, Constant{Value(None{})}, 0);
  }
  macro_names_.varargs |= name == "varargs";
  macro_names_.kwargs |= name == "kwargs";
  macro_names_.caller |= name == "caller";
  return MakeExpr(token.line, NameRef{name}, 0);
}

Result<ExprPtr> ExpressionParser::ParseParenthesized() {
  const int line = stream_.Next().line;
  if (stream_.SkipOperator(")")) {
    return MakeExpr(line, Sequence{Shape::kTuple, {}}, 0);
  }
  ATELIER_ASSIGN(inside, ParseTuple());
  ATELIER_TRY(stream_.ExpectOperator(")"));
  return inside;
}

Result<ExprPtr> ExpressionParser::ParseList() {
  const int line = stream_.Next().line;
  Sequence list{Shape::kList, {}};
  int height = 0;
  while (!stream_.SkipOperator("]")) {
    if (!list.items.empty()) {
      ATELIER_TRY(stream_.ExpectOperator(","));
      if (stream_.SkipOperator("]")) {
        break;
      }
    }
    ATELIER_ASSIGN(item, ParseExpression());
    height = std::max(height, HeightOf(item));
    list.items.push_back(std::move(item));
  }
  return MakeExpr(line, std::move(list), height);
}

Result<ExprPtr> ExpressionParser::ParseDict() {
  const int line = stream_.Next().line;
  DictLiteral dict;
  int height = 0;
  while (!stream_.SkipOperator("}")) {
    if (!dict.entries.empty()) {
      ATELIER_TRY(stream_.ExpectOperator(","));
      if (stream_.SkipOperator("}")) {
        break;
      }
    }
    ATELIER_ASSIGN(key, ParseExpression());
    ATELIER_TRY(stream_.ExpectOperator(":"));
    ATELIER_ASSIGN(value, ParseExpression());
    height = std::max({height, HeightOf(key), HeightOf(value)});
    dict.entries.emplace_back(std::move(key), std::move(value));
  }
  return MakeExpr(line, std::move(dict), height);
}

Result<ExprPtr> ExpressionParser::ParsePostfix(ExprPtr base) {
  using Suffix = Result<ExprPtr> (ExpressionParser::*)(ExprPtr);
  for (;;) {
    const Suffix suffix = stream_.IsOperator(".")   ? &ExpressionParser::ParseDot
                          : stream_.IsOperator("[") ? &ExpressionParser::ParseSubscript
                          : stream_.IsOperator("(") ? &ExpressionParser::ParseCall
                                                    : nullptr;
    if (suffix == nullptr) {
      return base;
    }
    ATELIER_ASSIGN(whole, (this->*suffix)(std::move(base)));
    base = std::move(whole);
  }
}

Result<ExprPtr> ExpressionParser::ParseDot(ExprPtr base) {
  const int line = stream_.Next().line;
  const int height = HeightOf(base);
  if (stream_.Peek().kind == TokenKind::kInteger) {
    ATELIER_ASSIGN(index, ParseNumber());
    return MakeExpr(line, Item{std::move(base), std::move(index), ""}, height);
  }
  ATELIER_ASSIGN(name, stream_.ExpectName());
  Value key = Value::Constant(name);
  return MakeExpr(line, Attribute{std::move(base), std::move(name), std::move(key)}, height);
}

Result<ExprPtr> ExpressionParser::ParseSliceBound() {
  if (stream_.IsOperator(":") || stream_.IsOperator("]")) {
    return ExprPtr();
  }
  return ParseExpression();
}

Result<ExprPtr> ExpressionParser::ParseSubscript(ExprPtr base) {
  const int line = stream_.Next().line;
  Slice slice;
  ATELIER_ASSIGN(begin, ParseSliceBound());
  if (!stream_.SkipOperator(":")) {
    if (begin == nullptr) {
      return stream_.Unexpected("an index");
    }
    if (stream_.IsOperator(",")) {
      return SyntaxError(line, "an index of several parts is not supported");
    }
    ATELIER_TRY(stream_.ExpectOperator("]"));
    const int height = std::max(HeightOf(base), HeightOf(begin));
    const auto* constant = std::get_if<Constant>(&begin->node);
    std::string name(constant == nullptr ? std::string_view() : constant->value.text());
    return MakeExpr(line, Item{std::move(base), std::move(begin), std::move(name)}, height);
  }
  ATELIER_ASSIGN(end, ParseSliceBound());
  ExprPtr step;
  if (stream_.SkipOperator(":")) {
    ATELIER_ASSIGN(given, ParseSliceBound());
    step = std::move(given);
  }
  ATELIER_TRY(stream_.ExpectOperator("]"));
  const int height = std::max({HeightOf(base), HeightOf(begin), HeightOf(end), HeightOf(step)});
  return MakeExpr(line, Slice{std::move(base), std::move(begin), std::move(end), std::move(step)}, height);
}

Result<ExprPtr> ExpressionParser::ParseCall(ExprPtr callee) {
  const int line = stream_.line();
  ATELIER_ASSIGN(arguments, ParseArguments());
  const int height = std::max(HeightOf(callee), HeightOf(arguments));
  return MakeExpr(line, Call{std::move(callee), std::move(arguments)}, height);
}

Result<Target> ExpressionParser::ParseTarget(bool of_set) {
  ATELIER_TRY(Descend());
  Target tuple;
  for (bool more = true; more;) {
    Target part;
    if (stream_.SkipOperator("(")) {
      auto inside = ParseTarget(of_set);
      ATELIER_ASSIGN(nested, std::move(inside));
      ATELIER_TRY(stream_.ExpectOperator(")"));
      part = std::move(nested);
    } else {
      ATELIER_ASSIGN(name, stream_.ExpectName());
      part.name = std::move(name);
      if (of_set && stream_.SkipOperator(".")) {
        ATELIER_ASSIGN(attribute, stream_.ExpectName());
        part.attribute = std::move(attribute);
      }
    }
    tuple.parts.push_back(std::move(part));
    more = stream_.SkipOperator(",");
    tuple.is_tuple |= more;
    if (more && (stream_.IsName("in") || stream_.IsOperator("=") || stream_.IsOperator(")"))) {
      more = false;
    }
  }
  Ascend();
  if (!tuple.is_tuple) {
    return std::move(tuple.parts.front());
  }
  return tuple;
}

}  // namespace atelier::text::jinja

#include "text/template/expression_parser.h"

#include <algorithm>
#include <optional>

#include "text/template/literals.h"
#include "text/template/native.h"
#include "text/template/parser.h"

namespace atelier::text::jinja {
namespace {

Error TooDeep(int line) { return SyntaxError(line, "nested more than " + std::to_string(kMaxSyntaxDepth) + " deep"); }

// The comparison that begins here and how many tokens it has.
std::optional<std::pair<CompareOperator, int>> ComparisonAt(const TokenStream& stream) {
  constexpr std::pair<std::string_view, CompareOperator> kSymbols[] = {
      {"==", CompareOperator::kEqual},     {"!=", CompareOperator::kNotEqual}, {"<", CompareOperator::kLess},
      {"<=", CompareOperator::kLessEqual}, {">", CompareOperator::kGreater},   {">=", CompareOperator::kGreaterEqual}};
  for (const auto& [symbol, operation] : kSymbols) {
    if (stream.IsOperator(symbol)) {
      return std::pair(operation, 1);
    }
  }
  if (stream.IsName("in")) {
    return std::pair(CompareOperator::kIn, 1);
  }
  if (stream.IsName("not") && stream.IsName("in", 1)) {
    return std::pair(CompareOperator::kNotIn, 2);
  }
  return std::nullopt;
}

}  // namespace

int HeightOf(const ExprPtr& expression) { return expression == nullptr ? 0 : expression->height; }

int HeightOf(const Arguments& arguments) {
  int height = 0;
  for (const auto& argument : arguments.positional) {
    height = std::max(height, HeightOf(argument));
  }
  for (const auto& [name, argument] : arguments.named) {
    height = std::max(height, HeightOf(argument));
  }
  return height;
}

Result<ExprPtr> MakeExpr(int line, decltype(Expr::node) node, int height) {
  if (height >= 2 * kMaxSyntaxDepth) {
    return TooDeep(line);
  }
  auto expression = std::make_unique<Expr>();
  expression->line = line;
  expression->height = height + 1;
  expression->node = std::move(node);
  return expression;
}

Status ExpressionParser::Descend() {
  if (depth_ >= kMaxSyntaxDepth) {
    return TooDeep(stream_.line());
  }
  ++depth_;
  return {};
}

bool ExpressionParser::AtTupleEnd() const {
  const TokenKind kind = stream_.Peek().kind;
  return kind == TokenKind::kOutputEnd || kind == TokenKind::kTagEnd || stream_.IsOperator(")") ||
         stream_.IsName("recursive");
}

Result<ExprPtr> ExpressionParser::ParseTuple(bool with_conditional) {
  const int line = stream_.line();
  Sequence tuple{Shape::kTuple, {}};
  int height = 0;
  bool is_tuple = false;
  for (;;) {
    if (is_tuple && AtTupleEnd()) {
      break;
    }
    ATELIER_ASSIGN(item, with_conditional ? ParseExpression() : ParseOr());
    height = std::max(height, HeightOf(item));
    tuple.items.push_back(std::move(item));
    if (!stream_.SkipOperator(",")) {
      break;
    }
    is_tuple = true;
  }
  if (!is_tuple) {
    return std::move(tuple.items.front());
  }
  return MakeExpr(line, std::move(tuple), height);
}

Result<ExprPtr> ExpressionParser::ParseExpression() {
  ATELIER_TRY(Descend());
  auto expression = ParseConditional();
  Ascend();
  return expression;
}

Result<ExprPtr> ExpressionParser::ParseConditional() {
  const int line = stream_.line();
  // Which side is behind a condition is known only after the first: unknown filters there are found when reached.
  ATELIER_ASSIGN(value, ParseOr());
  while (stream_.SkipName("if")) {
    ATELIER_ASSIGN(condition, ParseOr());
    ExprPtr otherwise;
    if (stream_.SkipName("else")) {
      EnterCondition();
      auto parsed = ParseExpression();
      LeaveCondition();
      ATELIER_ASSIGN(branch, std::move(parsed));
      otherwise = std::move(branch);
    }
    const int height = std::max({HeightOf(value), HeightOf(condition), HeightOf(otherwise)});
    ATELIER_ASSIGN(whole,
                   MakeExpr(line, Conditional{std::move(condition), std::move(value), std::move(otherwise)}, height));
    value = std::move(whole);
  }
  return value;
}

Result<ExprPtr> ExpressionParser::ParseLogic(bool is_and, Rule operand) {
  const int line = stream_.line();
  Logic logic{is_and, {}};
  int height = 0;
  do {
    ATELIER_ASSIGN(next, (this->*operand)());
    height = std::max(height, HeightOf(next));
    logic.operands.push_back(std::move(next));
  } while (stream_.SkipName(is_and ? "and" : "or"));
  if (logic.operands.size() == 1) {
    return std::move(logic.operands.front());
  }
  return MakeExpr(line, std::move(logic), height);
}

Result<ExprPtr> ExpressionParser::ParseOr() { return ParseLogic(false, &ExpressionParser::ParseAnd); }

Result<ExprPtr> ExpressionParser::ParseAnd() { return ParseLogic(true, &ExpressionParser::ParseNot); }

Result<ExprPtr> ExpressionParser::ParseNot() {
  if (!stream_.IsName("not")) {
    return ParseCompare();
  }
  const int line = stream_.Next().line;
  ATELIER_TRY(Descend());
  auto parsed = ParseNot();
  Ascend();
  ATELIER_ASSIGN(operand, std::move(parsed));
  const int height = HeightOf(operand);
  return MakeExpr(line, Unary{Unary::Operator::kNot, std::move(operand)}, height);
}

Result<ExprPtr> ExpressionParser::ParseCompare() {
  const int line = stream_.line();
  ATELIER_ASSIGN(first, ParseSum());
  Compare compare{std::move(first), {}};
  int height = HeightOf(compare.first);
  while (const auto comparison = ComparisonAt(stream_)) {
    for (int i = 0; i < comparison->second; ++i) {
      stream_.Next();
    }
    ATELIER_ASSIGN(operand, ParseSum());
    height = std::max(height, HeightOf(operand));
    compare.rest.emplace_back(comparison->first, std::move(operand));
  }
  if (compare.rest.empty()) {
    return std::move(compare.first);
  }
  return MakeExpr(line, std::move(compare), height);
}

Result<ExprPtr> ExpressionParser::ParseBinary(
    std::initializer_list<std::pair<std::string_view, BinaryOperator>> operators, Rule operand) {
  const int line = stream_.line();
  ATELIER_ASSIGN(first, (this->*operand)());
  Chain chain{std::move(first), {}};
  int height = HeightOf(chain.first);
  for (;;) {
    const auto found = std::ranges::find_if(operators, [&](const auto& row) { return stream_.IsOperator(row.first); });
    if (found == operators.end()) {
      break;
    }
    stream_.Next();
    ATELIER_ASSIGN(next, (this->*operand)());
    height = std::max(height, HeightOf(next));
    chain.rest.emplace_back(found->second, std::move(next));
  }
  if (chain.rest.empty()) {
    return std::move(chain.first);
  }
  return MakeExpr(line, std::move(chain), height);
}

Result<ExprPtr> ExpressionParser::ParseSum() {
  return ParseBinary({{"+", BinaryOperator::kAdd}, {"-", BinaryOperator::kSubtract}}, &ExpressionParser::ParseConcat);
}

Result<ExprPtr> ExpressionParser::ParseConcat() {
  return ParseBinary({{"~", BinaryOperator::kConcat}}, &ExpressionParser::ParseProduct);
}

Result<ExprPtr> ExpressionParser::ParseProduct() {
  return ParseBinary({{"*", BinaryOperator::kMultiply},
                      {"/", BinaryOperator::kDivide},
                      {"//", BinaryOperator::kFloorDivide},
                      {"%", BinaryOperator::kModulo}},
                     &ExpressionParser::ParsePower);
}

Result<ExprPtr> ExpressionParser::ParsePower() {
  return ParseBinary({{"**", BinaryOperator::kPower}}, &ExpressionParser::ParseUnary);
}

Result<ExprPtr> ExpressionParser::ParseUnary(bool with_filters) {
  const int line = stream_.line();
  ExprPtr expression;
  if (stream_.IsOperator("-") || stream_.IsOperator("+")) {
    const auto sign = stream_.Next().text == "-" ? Unary::Operator::kMinus : Unary::Operator::kPlus;
    ATELIER_TRY(Descend());
    auto parsed = ParseUnary(false);
    Ascend();
    ATELIER_ASSIGN(operand, std::move(parsed));
    const int height = HeightOf(operand);
    ATELIER_ASSIGN(whole, MakeExpr(line, Unary{sign, std::move(operand)}, height));
    expression = std::move(whole);
  } else {
    ATELIER_ASSIGN(primary, ParsePrimary());
    expression = std::move(primary);
  }
  ATELIER_ASSIGN(whole, ParsePostfix(std::move(expression)));
  return with_filters ? ParseFiltersAndTests(std::move(whole)) : Result<ExprPtr>(std::move(whole));
}

Result<Arguments> ExpressionParser::ParseArguments() {
  Arguments arguments;
  ATELIER_TRY(stream_.ExpectOperator("("));
  while (!stream_.SkipOperator(")")) {
    if (!arguments.positional.empty() || !arguments.named.empty()) {
      ATELIER_TRY(stream_.ExpectOperator(","));
      if (stream_.SkipOperator(")")) {
        break;
      }
    }
    if (stream_.IsOperator("*") || stream_.IsOperator("**")) {
      return SyntaxError(stream_.line(), "'*' and '**' before arguments are not supported");
    }
    if (stream_.Peek().kind == TokenKind::kName && stream_.IsOperator("=", 1)) {
      const std::string name = stream_.Next().text;
      stream_.Next();
      ATELIER_ASSIGN(value, ParseExpression());
      if (arguments.named.size() >= kMaxParameters) {
        return SyntaxError(stream_.line(), "a call has too many arguments");
      }
      arguments.named.emplace_back(name, std::move(value));
      continue;
    }
    if (!arguments.named.empty()) {
      return SyntaxError(stream_.line(), "an argument without a name stands behind one with a name");
    }
    ATELIER_ASSIGN(value, ParseExpression());
    arguments.positional.push_back(std::move(value));
  }
  return arguments;
}

Result<std::string> ExpressionParser::ParseDottedName() {
  ATELIER_ASSIGN(name, stream_.ExpectName());
  while (stream_.SkipOperator(".")) {
    ATELIER_ASSIGN(part, stream_.ExpectName());
    name += "." + part;
  }
  return name;
}

Result<ExprPtr> ExpressionParser::ParseFilter(ExprPtr input) {
  FilterUse use;
  const int line = stream_.line();
  ATELIER_ASSIGN(name, ParseDottedName());
  use.filter = FindFilter(name);
  if (use.filter == nullptr && conditions_ == 0) {
    return SyntaxError(line, "there is no filter named '" + name + "'");
  }
  use.name = std::move(name);
  if (stream_.IsOperator("(")) {
    ATELIER_ASSIGN(arguments, ParseArguments());
    use.arguments = std::move(arguments);
  }
  const int height = std::max(HeightOf(input), HeightOf(use.arguments));
  use.input = std::move(input);
  return MakeExpr(line, std::move(use), height);
}

Result<ExprPtr> ExpressionParser::ParseTest(ExprPtr input) {
  TestUse use;
  const int line = stream_.line();
  const bool negated = stream_.SkipName("not");
  ATELIER_ASSIGN(name, ParseDottedName());
  use.test = FindTest(name);
  if (use.test == nullptr && conditions_ == 0) {
    return SyntaxError(line, "there is no test named '" + name + "'");
  }
  use.name = std::move(name);
  const TokenKind kind = stream_.Peek().kind;
  const bool word = kind == TokenKind::kName && !stream_.IsName("else") && !stream_.IsName("or") &&
                    !stream_.IsName("and") && !stream_.IsName("is") && !stream_.IsName("if") && !stream_.IsName("in") &&
                    !stream_.IsName("not");
  if (stream_.IsOperator("(")) {
    ATELIER_ASSIGN(arguments, ParseArguments());
    use.arguments = std::move(arguments);
  } else if (stream_.IsName("is")) {
    return SyntaxError(line, "tests cannot be chained with 'is'");
  } else if (word || kind == TokenKind::kString || kind == TokenKind::kInteger || kind == TokenKind::kFloat ||
             stream_.IsOperator("[") || stream_.IsOperator("{")) {
    ATELIER_ASSIGN(argument, ParsePostfixed());
    use.arguments.positional.push_back(std::move(argument));
  }
  int height = std::max(HeightOf(input), HeightOf(use.arguments));
  use.input = std::move(input);
  ATELIER_ASSIGN(test, MakeExpr(line, std::move(use), height));
  if (!negated) {
    return test;
  }
  height = HeightOf(test);
  return MakeExpr(line, Unary{Unary::Operator::kNot, std::move(test)}, height);
}

Result<ExprPtr> ExpressionParser::ParseFiltersAndTests(ExprPtr input) {
  for (;;) {
    if (stream_.SkipOperator("|")) {
      ATELIER_ASSIGN(next, ParseFilter(std::move(input)));
      input = std::move(next);
    } else if (stream_.SkipName("is")) {
      ATELIER_ASSIGN(next, ParseTest(std::move(input)));
      input = std::move(next);
    } else if (stream_.IsOperator("(")) {
      ATELIER_ASSIGN(next, ParseCall(std::move(input)));
      input = std::move(next);
    } else {
      return input;
    }
  }
}

Result<ExprPtr> ExpressionParser::ParseFiltersOfBlock() {
  ATELIER_ASSIGN(captured, MakeExpr(stream_.line(), Captured{}, 0));
  ATELIER_ASSIGN(first, ParseFilter(std::move(captured)));
  return ParseFiltersAndTests(std::move(first));
}

}  // namespace atelier::text::jinja

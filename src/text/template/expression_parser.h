// The expressions of a template, with the precedence of jinja2 (Python's, but ** groups from the left and unary minus
// binds tighter).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/template/ast.h"
#include "text/template/token_stream.h"

namespace atelier::text::jinja {

// Of the tree; 0 for null.
int HeightOf(const ExprPtr& expression);
int HeightOf(const Arguments& arguments);

// A node over children of which the highest is `height` high; an error when the tree grows too high.
Result<ExprPtr> MakeExpr(int line, decltype(Expr::node) node, int height);

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenStream& stream) : stream_(stream) {}

  // An expression; with bare commas it is a tuple. Without conditionals, as `for` wants its iterable, "a if b" ends
  // before the "if".
  Result<ExprPtr> ParseTuple(bool with_conditional = true);
  Result<ExprPtr> ParseExpression();
  // The chain of filters that begins with the name of the first one, applied to Captured.
  Result<ExprPtr> ParseFiltersOfBlock();
  // A primary with its attributes, items and calls, for call blocks.
  Result<ExprPtr> ParsePostfixed();
  // Names, attributes of namespaces where `set` allows them, and tuples of both.
  Result<Target> ParseTarget(bool of_set);

  // Filters and tests that stand behind a condition may be unknown.
  void EnterCondition() { ++conditions_; }
  void LeaveCondition() { --conditions_; }

  // One level deeper; an error when that is too deep. Every Descend that succeeded is undone by an Ascend.
  Status Descend();
  void Ascend() { --depth_; }

  // Which of the special names of macros the expressions parsed since the last Take have used.
  struct MacroNames {
    bool varargs = false;
    bool kwargs = false;
    bool caller = false;
  };
  MacroNames TakeMacroNames() { return std::exchange(macro_names_, {}); }
  void RestoreMacroNames(MacroNames names) { macro_names_ = names; }

 private:
  using Rule = Result<ExprPtr> (ExpressionParser::*)();
  Result<ExprPtr> ParseConditional();
  Result<ExprPtr> ParseOr();
  Result<ExprPtr> ParseAnd();
  Result<ExprPtr> ParseLogic(bool is_and, Rule operand);
  Result<ExprPtr> ParseNot();
  Result<ExprPtr> ParseCompare();
  Result<ExprPtr> ParseSum();
  Result<ExprPtr> ParseConcat();
  Result<ExprPtr> ParseProduct();
  Result<ExprPtr> ParsePower();
  Result<ExprPtr> ParseUnary() { return ParseUnary(true); }
  Result<ExprPtr> ParseUnary(bool with_filters);
  Result<ExprPtr> ParsePrimary();
  Result<ExprPtr> ParseName();
  Result<ExprPtr> ParseParenthesized();
  Result<ExprPtr> ParseList();
  Result<ExprPtr> ParseDict();
  Result<ExprPtr> ParseNumber();
  Result<ExprPtr> ParsePostfix(ExprPtr base);
  Result<ExprPtr> ParseDot(ExprPtr base);
  Result<ExprPtr> ParseSubscript(ExprPtr base);
  Result<ExprPtr> ParseSliceBound();
  Result<ExprPtr> ParseCall(ExprPtr callee);
  Result<ExprPtr> ParseFiltersAndTests(ExprPtr input);
  Result<ExprPtr> ParseFilter(ExprPtr input);
  Result<ExprPtr> ParseTest(ExprPtr input);
  Result<Arguments> ParseArguments();
  Result<std::string> ParseDottedName();
  Result<ExprPtr> ParseBinary(std::initializer_list<std::pair<std::string_view, BinaryOperator>> operators,
                              Rule operand);
  bool AtTupleEnd() const;

  TokenStream& stream_;
  int depth_ = 0;
  int conditions_ = 0;
  MacroNames macro_names_;
};

}  // namespace atelier::text::jinja

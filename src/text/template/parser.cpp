#include "text/template/parser.h"

#include <algorithm>
#include <initializer_list>

#include "base/ids.h"
#include "text/template/expression_parser.h"
#include "text/template/lexer.h"
#include "text/template/token_stream.h"

namespace atelier::text::jinja {
namespace {

using Names = std::initializer_list<std::string_view>;

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : stream_(std::move(tokens)), expressions_(stream_) {}

  Result<Body> Run() { return ParseBody({}); }

 private:
  using Rule = Result<Stmt> (Parser::*)();
  static Rule FindRule(std::string_view name);

  // Statements up to the tag of which one of `ends` is the name, which is then the next token; up to the end of the
  // template when there are none.
  Result<Body> ParseBody(Names ends);
  // A body and the whole tag `end` behind it.
  Result<Body> ParseBlock(std::string_view end);
  // A body that only a condition reaches.
  Result<Body> ParseConditionalBody(Names ends);
  Result<Stmt> ParseOutput();
  Result<Stmt> ParseTag(const std::string& name);

  Result<Stmt> ParseIf();
  Result<Stmt> ParseFor();
  Result<Stmt> ParseSet();
  Result<Stmt> ParseMacro();
  Result<Stmt> ParseCallBlock();
  Result<Stmt> ParseFilterBlock();
  Result<Stmt> ParseWith();
  Result<Stmt> ParseGeneration();
  Result<Stmt> ParseBreak() { return ParseLoopControl(Break{}); }
  Result<Stmt> ParseContinue() { return ParseLoopControl(Continue{}); }
  Result<Stmt> ParseLoopControl(decltype(Stmt::node) node);

  Status ParseSignature(Signature& signature);
  Status ParseMacroBody(MacroBody& macro, std::string_view end);

  TokenStream stream_;
  ExpressionParser expressions_;
  int loops_ = 0;  // around the current statement, in the same macro
};

Parser::Rule Parser::FindRule(std::string_view name) {
  static constexpr std::pair<std::string_view, Rule> kRules[] = {
      {"if", &Parser::ParseIf},          {"for", &Parser::ParseFor},
      {"set", &Parser::ParseSet},        {"macro", &Parser::ParseMacro},
      {"call", &Parser::ParseCallBlock}, {"filter", &Parser::ParseFilterBlock},
      {"with", &Parser::ParseWith},      {"generation", &Parser::ParseGeneration},
      {"break", &Parser::ParseBreak},    {"continue", &Parser::ParseContinue},
  };
  const auto* found = std::ranges::find(kRules, name, &std::pair<std::string_view, Rule>::first);
  return found == std::end(kRules) ? nullptr : found->second;
}

Result<Body> Parser::ParseBody(Names ends) {
  ATELIER_TRY(expressions_.Descend());
  const int begin_line = stream_.line();
  Body body;
  for (;;) {
    const Token& token = stream_.Peek();
    if (token.kind == TokenKind::kEnd) {
      if (ends.size() != 0) {
        return SyntaxError(token.line, "the template ends inside a block that begins near line " +
                                           std::to_string(begin_line) + ": '" + std::string(*(ends.end() - 1)) +
                                           "' is missing");
      }
      break;
    }
    if (token.kind == TokenKind::kText) {
      body.push_back({token.line, OutputText{stream_.Next().text}});
      continue;
    }
    if (token.kind == TokenKind::kOutputBegin) {
      ATELIER_ASSIGN(output, ParseOutput());
      body.push_back(std::move(output));
      continue;
    }
    stream_.Next();  // the begin of a tag; nothing else can stand here
    const std::string name = stream_.Peek().text;
    if (stream_.Peek().kind == TokenKind::kName && std::ranges::find(ends, name) != ends.end()) {
      break;
    }
    ATELIER_ASSIGN(statement, ParseTag(name));
    body.push_back(std::move(statement));
  }
  expressions_.Ascend();
  return body;
}

Result<Body> Parser::ParseBlock(std::string_view end) {
  ATELIER_ASSIGN(body, ParseBody({end}));
  stream_.Next();
  ATELIER_TRY(stream_.ExpectTagEnd());
  return body;
}

Result<Body> Parser::ParseConditionalBody(Names ends) {
  expressions_.EnterCondition();
  auto body = ParseBody(ends);
  expressions_.LeaveCondition();
  return body;
}

Result<Stmt> Parser::ParseOutput() {
  const int line = stream_.Next().line;
  ATELIER_ASSIGN(value, expressions_.ParseTuple());
  if (stream_.Peek().kind != TokenKind::kOutputEnd) {
    return stream_.Unexpected("'}}'");
  }
  stream_.Next();
  return Stmt{line, OutputValue{std::move(value)}};
}

Result<Stmt> Parser::ParseTag(const std::string& name) {
  const int line = stream_.line();
  ATELIER_TRY(stream_.ExpectName());
  const Rule rule = FindRule(name);
  if (rule == nullptr) {
    return SyntaxError(line, "there is no tag named '" + name + "' here");
  }
  ATELIER_ASSIGN(statement, (this->*rule)());
  statement.line = line;
  return statement;
}

Result<Stmt> Parser::ParseIf() {
  If branching;
  for (;;) {
    ATELIER_ASSIGN(condition, expressions_.ParseTuple());
    ATELIER_TRY(stream_.ExpectTagEnd());
    ATELIER_ASSIGN(body, ParseConditionalBody({"elif", "else", "endif"}));
    branching.branches.emplace_back(std::move(condition), std::move(body));
    if (!stream_.SkipName("elif")) {
      break;
    }
  }
  if (stream_.SkipName("else")) {
    ATELIER_TRY(stream_.ExpectTagEnd());
    ATELIER_ASSIGN(otherwise, ParseConditionalBody({"endif"}));
    branching.otherwise = std::move(otherwise);
  }
  stream_.Next();
  ATELIER_TRY(stream_.ExpectTagEnd());
  return Stmt{0, std::move(branching)};
}

Result<Stmt> Parser::ParseFor() {
  For loop;
  ATELIER_ASSIGN(target, expressions_.ParseTarget(false));
  loop.target = std::move(target);
  if (!stream_.SkipName("in")) {
    return stream_.Unexpected("'in'");
  }
  ATELIER_ASSIGN(iterable, expressions_.ParseTuple(false));
  loop.iterable = std::move(iterable);
  if (stream_.SkipName("if")) {
    ATELIER_ASSIGN(condition, expressions_.ParseExpression());
    loop.condition = std::move(condition);
  }
  loop.recursive = stream_.SkipName("recursive");
  ATELIER_TRY(stream_.ExpectTagEnd());
  ++loops_;
  auto parsed = ParseBody({"else", "endfor"});
  --loops_;
  ATELIER_ASSIGN(body, std::move(parsed));
  loop.body = std::move(body);
  if (stream_.SkipName("else")) {
    ATELIER_TRY(stream_.ExpectTagEnd());
    ATELIER_ASSIGN(otherwise, ParseBody({"endfor"}));
    loop.otherwise = std::move(otherwise);
  }
  stream_.Next();
  ATELIER_TRY(stream_.ExpectTagEnd());
  return Stmt{0, std::move(loop)};
}

Result<Stmt> Parser::ParseSet() {
  ATELIER_ASSIGN(target, expressions_.ParseTarget(true));
  if (stream_.SkipOperator("=")) {
    ATELIER_ASSIGN(value, expressions_.ParseTuple());
    ATELIER_TRY(stream_.ExpectTagEnd());
    return Stmt{0, Set{std::move(target), std::move(value)}};
  }
  SetBlock block{std::move(target), nullptr, {}};
  if (stream_.SkipOperator("|")) {
    ATELIER_ASSIGN(filters, expressions_.ParseFiltersOfBlock());
    block.filters = std::move(filters);
  }
  ATELIER_TRY(stream_.ExpectTagEnd());
  ATELIER_ASSIGN(body, ParseBlock("endset"));
  block.body = std::move(body);
  return Stmt{0, std::move(block)};
}

Status Parser::ParseSignature(Signature& signature) {
  ATELIER_TRY(stream_.ExpectOperator("("));
  while (!stream_.SkipOperator(")")) {
    if (!signature.parameters.empty()) {
      ATELIER_TRY(stream_.ExpectOperator(","));
      if (stream_.SkipOperator(")")) {
        break;
      }
    }
    const int line = stream_.line();
    ATELIER_ASSIGN(parameter, stream_.ExpectName());
    if (std::ranges::find(signature.parameters, parameter) != signature.parameters.end()) {
      return SyntaxError(line, "the parameter '" + parameter + "' is there twice");
    }
    if (signature.parameters.size() >= kMaxParameters) {
      return SyntaxError(line, "a macro has more than " + std::to_string(kMaxParameters) + " parameters");
    }
    signature.parameters.push_back(std::move(parameter));
    if (stream_.SkipOperator("=")) {
      ATELIER_ASSIGN(value, expressions_.ParseExpression());
      signature.defaults.push_back(std::move(value));
    } else if (!signature.defaults.empty()) {
      return SyntaxError(line, "a parameter without a default stands behind one with a default");
    }
  }
  return {};
}

Status Parser::ParseMacroBody(MacroBody& macro, std::string_view end) {
  ATELIER_TRY(stream_.ExpectTagEnd());
  const auto outer_names = expressions_.TakeMacroNames();
  const int outer_loops = std::exchange(loops_, 0);
  ATELIER_ASSIGN(body, ParseBlock(end));
  loops_ = outer_loops;
  const auto names = expressions_.TakeMacroNames();
  expressions_.RestoreMacroNames(outer_names);
  macro.body = std::move(body);
  macro.signature.takes_varargs = names.varargs;
  macro.signature.takes_kwargs = names.kwargs;
  macro.signature.takes_caller = names.caller;
  return {};
}

Result<Stmt> Parser::ParseMacro() {
  MacroDefinition definition{std::make_unique<MacroBody>()};
  ATELIER_ASSIGN(name, stream_.ExpectName());
  definition.macro->signature.name = std::move(name);
  ATELIER_TRY(ParseSignature(definition.macro->signature));
  ATELIER_TRY(ParseMacroBody(*definition.macro, "endmacro"));
  return Stmt{0, std::move(definition)};
}

Result<Stmt> Parser::ParseCallBlock() {
  CallBlock block{std::make_unique<MacroBody>(), nullptr};
  block.caller->signature.name = "caller";
  if (stream_.IsOperator("(")) {
    ATELIER_TRY(ParseSignature(block.caller->signature));
  }
  const int line = stream_.line();
  ATELIER_ASSIGN(call, expressions_.ParsePostfixed());
  if (!std::holds_alternative<Call>(call->node)) {
    return SyntaxError(line, "a call block needs a call");
  }
  block.call = std::move(call);
  ATELIER_TRY(ParseMacroBody(*block.caller, "endcall"));
  return Stmt{0, std::move(block)};
}

Result<Stmt> Parser::ParseFilterBlock() {
  ATELIER_ASSIGN(filters, expressions_.ParseFiltersOfBlock());
  ATELIER_TRY(stream_.ExpectTagEnd());
  ATELIER_ASSIGN(body, ParseBlock("endfilter"));
  return Stmt{0, FilterBlock{std::move(filters), std::move(body)}};
}

Result<Stmt> Parser::ParseWith() {
  With with;
  while (stream_.Peek().kind != TokenKind::kTagEnd) {
    if (!with.assignments.empty()) {
      ATELIER_TRY(stream_.ExpectOperator(","));
    }
    Target target;
    ATELIER_ASSIGN(name, stream_.ExpectName());
    target.name = std::move(name);
    ATELIER_TRY(stream_.ExpectOperator("="));
    ATELIER_ASSIGN(value, expressions_.ParseExpression());
    with.assignments.emplace_back(std::move(target), std::move(value));
  }
  ATELIER_TRY(stream_.ExpectTagEnd());
  ATELIER_ASSIGN(body, ParseBlock("endwith"));
  with.body = std::move(body);
  return Stmt{0, std::move(with)};
}

Result<Stmt> Parser::ParseGeneration() {
  ATELIER_TRY(stream_.ExpectTagEnd());
  ATELIER_ASSIGN(body, ParseBlock("endgeneration"));
  return Stmt{0, With{{}, std::move(body)}};
}

Result<Stmt> Parser::ParseLoopControl(decltype(Stmt::node) node) {
  if (loops_ == 0) {
    return SyntaxError(stream_.line(), "'break' or 'continue' outside of a loop");
  }
  ATELIER_TRY(stream_.ExpectTagEnd());
  return Stmt{0, std::move(node)};
}

}  // namespace

Result<Body> ParseTemplate(std::string_view source) {
  if (source.size() > kMaxTemplateBytes) {
    return SyntaxError(1, "the template is larger than " + std::to_string(kMaxTemplateBytes) + " bytes");
  }
  if (!IsUtf8(source)) {
    return SyntaxError(1, "the template is no UTF-8");
  }
  ATELIER_ASSIGN(tokens, Tokenize(source));
  return Parser(std::move(tokens)).Run();
}

}  // namespace atelier::text::jinja

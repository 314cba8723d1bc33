#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "engine/grammar/cursor.h"
#include "engine/grammar/gbnf.h"
#include "engine/grammar/network.h"
#include "engine/grammar/regex.h"
#include "engine/grammar/rule_table.h"

namespace atelier::engine::grammar {
namespace {

// Terminals of Lark's grammars/common.lark.
constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kCommon{{
    {"DIGIT", "[0-9]"},
    {"HEXDIGIT", "[a-fA-F0-9]"},
    {"INT", "[0-9]+"},
    {"SIGNED_INT", "[+-]?[0-9]+"},
    {"DECIMAL", R"([0-9]+\.[0-9]*|\.[0-9]+)"},
    {"FLOAT", R"([0-9]+[eE][+-]?[0-9]+|([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)"},
    {"SIGNED_FLOAT", R"([+-]?([0-9]+[eE][+-]?[0-9]+|([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?))"},
    {"NUMBER", R"([0-9]+|[0-9]+[eE][+-]?[0-9]+|([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)"},
    {"SIGNED_NUMBER", R"([+-]?([0-9]+|[0-9]+[eE][+-]?[0-9]+|([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?))"},
    {"ESCAPED_STRING", R"("([^"\\\n]|\\[^\n])*")"},
    {"LCASE_LETTER", "[a-z]"},
    {"UCASE_LETTER", "[A-Z]"},
    {"LETTER", "[A-Za-z]"},
    {"WORD", "[A-Za-z]+"},
    {"CNAME", "[A-Za-z_][A-Za-z_0-9]*"},
    {"WS_INLINE", "[ \\t]+"},
    {"WS", "[ \\t\\f\\r\\n]+"},
    {"CR", "\\r"},
    {"LF", "\\n"},
    {"NEWLINE", "(\\r?\\n)+"},
}};

bool IsUpper(const std::string& name) {
  const auto letter = std::find_if(name.begin(), name.end(), [](char c) { return c != '_'; });
  return letter != name.end() && *letter >= 'A' && *letter <= 'Z';
}

// Both cases of ASCII letters.
Expression WithoutCase(Expression expression) {
  CodeSet set = expression.set;
  for (const Range& range : expression.set) {
    for (CodePoint code = range.first; code <= range.last && code < 128; ++code) {
      if (std::isalpha(static_cast<int>(code)) != 0) {
        set.push_back({code ^ 0x20U, code ^ 0x20U});
      }
    }
  }
  expression.set = Normalized(std::move(set));
  for (auto& child : expression.children) {
    child = WithoutCase(std::move(child));
  }
  return expression;
}

class LarkParser : Cursor<std::string_view> {
 public:
  LarkParser(std::string_view text, const GrammarLimits& limits) : Cursor(text), limits_(limits) {}

  Status Parse() {
    ignoring_ = text_.find("%ignore") != std::string_view::npos;
    ignore_rule_ = rules_.NumberOf("%ignore");
    SkipSpace();
    while (!AtEnd()) {
      if (Take('%')) {
        ATELIER_TRY(ParseDirective());
      } else {
        ATELIER_TRY(ParseRule());
      }
      SkipSpace();
    }
    rules_.Define(ignore_rule_, Expression::Repeat(Expression::Alternatives(std::move(ignored_)), 0, std::nullopt));
    if (const auto* name = rules_.FirstUndefined(); name != nullptr) {
      return BadGrammar("'" + *name + "' is not defined");
    }
    const auto start = rules_.Find("start");
    if (!start) {
      return BadGrammar("there is no rule 'start'");
    }
    rules_[*start] = Expression::Sequence({std::move(rules_[*start]), Ignored()});
    return {};
  }
  std::vector<Expression> TakeRules() { return rules_.Take(); }
  uint32_t start() const { return *rules_.Find("start"); }

 private:
  void SkipSpace() {
    while (!AtEnd()) {
      if (text_.substr(at_).starts_with("//") || text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r') {
        ++at_;
      } else {
        return;
      }
    }
  }
  std::string Name() {
    std::string name;
    while (std::isalnum(static_cast<unsigned char>(Peek())) != 0 || Peek() == '_') {
      name += text_[at_++];
    }
    return name;
  }
  Expression Ignored() const {
    return ignoring_ ? Expression{.kind = Expression::Kind::kRule, .rule = ignore_rule_} : Expression();
  }
  // Inside of a rule, ignored text may come before each terminal.
  Expression Spaced(Expression terminal) const {
    return in_terminal_ || !ignoring_ ? std::move(terminal) : Expression::Sequence({Ignored(), std::move(terminal)});
  }

  // name[.priority]: the head of a rule; empty where there is none.
  std::string Head() {
    const size_t begin = at_;
    while (Take('?') || Take('!')) {
    }
    std::string name = Name();
    if (Take('.')) {
      Take('-');
      while (std::isdigit(static_cast<unsigned char>(Peek())) != 0) {
        ++at_;
      }
    }
    SkipSpace();
    if (name.empty() || !Take(':')) {
      at_ = begin;
      return "";
    }
    return name;
  }
  bool AtEndOfRule() {
    const size_t begin = at_;
    const bool end = AtEnd() || Peek() == '%' || !Head().empty();
    at_ = begin;
    return end;
  }
  Status ParseRule() {
    const std::string name = Head();
    if (name.empty()) {
      return BadGrammar("a rule must begin with 'name:'");
    }
    in_terminal_ = IsUpper(name);
    ATELIER_ASSIGN(expression, ParseAlternatives(0));
    const uint32_t rule = rules_.NumberOf(name);
    if (rules_.IsDefined(rule)) {
      return BadGrammar("'" + name + "' is defined twice");
    }
    rules_.Define(rule, std::move(expression));
    return {};
  }
  Status ParseDirective() {
    if (TakeText("ignore")) {
      in_terminal_ = true;
      SkipSpace();
      ATELIER_ASSIGN(expression, ParseAlternatives(0));
      ignored_.push_back(std::move(expression));
      return {};
    }
    if (!TakeText("import")) {
      return BadGrammar("only %ignore and %import are understood");
    }
    SkipSpace();
    if (!TakeText("common.")) {
      return BadGrammar("only terminals of 'common' can be imported");
    }
    const std::string name = Name();
    std::string alias = name;
    const size_t begin = at_;
    SkipSpace();
    if (TakeText("->")) {
      SkipSpace();
      alias = Name();
    } else {
      at_ = begin;
    }
    const auto* const row =
        std::find_if(kCommon.begin(), kCommon.end(), [&](const auto& r) { return r.first == name; });
    if (row == kCommon.end()) {
      return BadGrammar("there is no terminal common." + name);
    }
    ATELIER_ASSIGN(expression, ParseRegex(row->second, limits_));
    rules_.Define(rules_.NumberOf(alias), std::move(expression));
    return {};
  }

  Result<Expression> ParseAlternatives(size_t depth) {
    return ParseBetweenBars({depth, limits_.max_source_depth, "the grammar"}, [&] {
      SkipSpace();
      return ParseSequence(depth);
    });
  }
  Result<Expression> ParseSequence(size_t depth) {
    std::vector<Expression> parts;
    while (Peek() != '|' && Peek() != ')' && Peek() != ']' && !AtEndOfRule()) {
      if (TakeText("->")) {
        SkipSpace();
        Name();
      } else {
        ATELIER_ASSIGN(atom, ParseAtom(depth));
        ATELIER_ASSIGN(repeated, ParseRepetition(std::move(atom)));
        parts.push_back(std::move(repeated));
      }
      SkipSpace();
    }
    return parts.size() == 1 ? std::move(parts.front()) : Expression::Sequence(std::move(parts));
  }
  Result<Expression> ParseAtom(size_t depth) {
    if (Peek() == '(' || Peek() == '[') {
      const bool optional = text_[at_++] == '[';
      ATELIER_ASSIGN(inner, ParseAlternatives(depth + 1));
      SkipSpace();
      if (!Take(optional ? ']' : ')')) {
        return BadGrammar("a group has no end");
      }
      return optional ? Expression::Repeat(std::move(inner), 0, 1) : std::move(inner);
    }
    if (Peek() == '"' || Peek() == '/') {
      ATELIER_ASSIGN(terminal, ParseTerminal());
      return Spaced(std::move(terminal));
    }
    const std::string name = Name();
    if (name.empty() || Peek() == '{') {
      return BadGrammar("something that is no text, expression, group or name");
    }
    Expression rule{.kind = Expression::Kind::kRule, .rule = rules_.NumberOf(name)};
    return IsUpper(name) ? Spaced(std::move(rule)) : std::move(rule);
  }
  // "text" or /regex/, each with its flags; a text may begin a range "a".."z".
  Result<Expression> ParseTerminal() {
    const char quote = text_[at_];
    ATELIER_ASSIGN(body, Quoted(quote));
    const bool any_case = Take('i');
    while (quote == '/' && (Peek() == 's' || Peek() == 'm' || Peek() == 'u' || Peek() == 'x' || Peek() == 'l')) {
      return BadGrammar("flags of an expression other than 'i'");
    }
    if (quote == '"' && TakeText("..")) {
      if (Peek() != '"') {
        return BadGrammar("a range without its end");
      }
      ATELIER_ASSIGN(last, Quoted('"'));
      const auto from = DecodeUtf8(body);
      const auto to = DecodeUtf8(last);
      if (!from || !to || from->size() != 1 || to->size() != 1 || (*from)[0] > (*to)[0]) {
        return BadGrammar("a malformed range");
      }
      return Expression::Set(Normalized({{(*from)[0], (*to)[0]}}));
    }
    // In a text only the escapes mean something.
    ATELIER_ASSIGN(expression, ParseRegex(quote == '/' ? body : Escaped(body), limits_));
    return any_case ? WithoutCase(std::move(expression)) : std::move(expression);
  }
  static std::string Escaped(const std::string& text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) {
        out += text[i];
        out += text[++i];
      } else {
        out += std::string_view("^$.*+?()[]{}|/").find(text[i]) != std::string_view::npos ? std::string("\\") + text[i]
                                                                                          : std::string(1, text[i]);
      }
    }
    return out;
  }
  Result<std::string> Quoted(char quote) {
    std::string body;
    for (++at_; !AtEnd() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\n') {
        break;
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        body += text_[at_++];
      }
      body += text_[at_];
    }
    if (!Take(quote)) {
      return BadGrammar("a text or expression has no end");
    }
    return body;
  }
  Result<Expression> ParseRepetition(Expression atom) {
    return Repeated(std::move(atom), limits_.max_source_depth, [&]() -> Result<std::optional<Repetition>> {
      auto repetition = TakeRepetition();
      if (!repetition && Take('~')) {
        const auto min = Number();
        const auto max = TakeText("..") ? Number() : min;
        if (!min || !max || *max < *min || *max > limits_.max_repetition) {
          return BadGrammar("a malformed or too large repetition");
        }
        repetition = Repetition{*min, max};
      }
      return repetition;
    });
  }

  const GrammarLimits& limits_;
  bool ignoring_ = false;
  bool in_terminal_ = false;
  uint32_t ignore_rule_ = 0;
  std::vector<Expression> ignored_;
  RuleTable rules_;
};

}  // namespace

Result<GrammarPtr> CompileLark(std::string_view text, Budget& budget) {
  if (text.size() > budget.limits().max_source_bytes || !budget.Spend(text.size())) {
    return TooComplex("the grammar");
  }
  LarkParser parser(text, budget.limits());
  ATELIER_TRY(parser.Parse());
  const uint32_t start = parser.start();
  return BuildNetwork(parser.TakeRules(), start, budget);
}

}  // namespace atelier::engine::grammar

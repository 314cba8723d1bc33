#include "engine/grammar/gbnf.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/grammar/cursor.h"
#include "engine/grammar/network.h"
#include "engine/grammar/rule_table.h"

namespace atelier::engine::grammar {
namespace {

class GbnfParser : Cursor<std::vector<CodePoint>> {
 public:
  GbnfParser(std::vector<CodePoint> text, const GrammarLimits& limits) : Cursor(std::move(text)), limits_(limits) {}

  Status Parse() {
    SkipSpace();
    while (!AtEnd()) {
      const std::string name = Name();
      SkipSpace();
      if (name.empty() || !TakeText("::=")) {
        return BadGrammar("a rule must begin with 'name ::='");
      }
      SkipSpace();
      ATELIER_ASSIGN(expression, ParseAlternatives(0));
      const uint32_t rule = rules_.NumberOf(name);
      if (rules_.IsDefined(rule)) {
        return BadGrammar("the rule '" + name + "' is defined twice");
      }
      rules_.Define(rule, std::move(expression));
    }
    if (const auto* name = rules_.FirstUndefined(); name != nullptr) {
      return BadGrammar("the rule '" + *name + "' is not defined");
    }
    return rules_.Find("root") ? Status() : Status(BadGrammar("there is no rule 'root'"));
  }
  std::vector<Expression> TakeRules() { return rules_.Take(); }
  uint32_t root() const { return *rules_.Find("root"); }

 private:
  void SkipSpace() {
    while (!AtEnd() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r' || Peek() == '#')) {
      if (Peek() == '#') {
        while (!AtEnd() && Peek() != '\n') {
          ++at_;
        }
      } else {
        ++at_;
      }
    }
  }
  static bool IsNameCharacter(CodePoint code) {
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || (code >= '0' && code <= '9') ||
           code == '-' || code == '_';
  }
  std::string Name() {
    std::string name;
    while (IsNameCharacter(Peek())) {
      name += static_cast<char>(text_[at_++]);
    }
    return name;
  }
  // Whether "name ::=" comes next, which ends the rule before.
  bool AtRule() {
    const size_t begin = at_;
    const bool named = !Name().empty();
    SkipSpace();
    const bool rule = named && TakeText("::=");
    at_ = begin;
    return rule;
  }

  Result<Expression> ParseAlternatives(size_t depth) {
    return ParseBetweenBars({depth, limits_.max_source_depth, "the grammar"}, [&] {
      SkipSpace();
      return ParseSequence(depth);
    });
  }
  Result<Expression> ParseSequence(size_t depth) {
    std::vector<Expression> parts;
    while (!AtEnd() && Peek() != '|' && Peek() != ')' && !AtRule()) {
      ATELIER_ASSIGN(atom, ParseAtom(depth));
      ATELIER_ASSIGN(repeated, ParseRepetition(std::move(atom)));
      parts.push_back(std::move(repeated));
      SkipSpace();
    }
    return parts.size() == 1 ? std::move(parts.front()) : Expression::Sequence(std::move(parts));
  }
  Result<Expression> ParseAtom(size_t depth) {
    if (Take('"')) {
      return ParseText();
    }
    if (Take('[')) {
      return ParseClass();
    }
    if (Take('.')) {
      return Expression::Set(AnyCode());
    }
    if (Take('(')) {
      ATELIER_ASSIGN(inner, ParseAlternatives(depth + 1));
      SkipSpace();
      if (!Take(')')) {
        return BadGrammar("a group has no end");
      }
      return inner;
    }
    const std::string name = Name();
    if (name.empty()) {
      return BadGrammar("something that is no text, class, group or rule");
    }
    return Expression{.kind = Expression::Kind::kRule, .rule = rules_.NumberOf(name)};
  }
  Result<Expression> ParseRepetition(Expression atom) {
    return Repeated(std::move(atom), limits_.max_source_depth, [&]() -> Result<std::optional<Repetition>> {
      SkipSpace();
      auto repetition = TakeRepetition();
      if (!repetition && Take('{')) {
        ATELIER_ASSIGN(braces, ParseBraces());
        repetition = braces;
      }
      return repetition;
    });
  }
  Result<Repetition> ParseBraces() {
    SkipSpace();
    const auto min = Number();
    SkipSpace();
    std::optional<uint32_t> max = min;
    if (Take(',')) {
      SkipSpace();
      max = Number();
      SkipSpace();
    }
    if (!Take('}') || (!min && !max) || (max && *max < min.value_or(0))) {
      return BadGrammar("a malformed repetition");
    }
    if (min.value_or(0) > limits_.max_repetition || max.value_or(0) > limits_.max_repetition) {
      return TooComplex("a repetition");
    }
    return Repetition{min.value_or(0), max};
  }

  // One character of a text or class, with its escape.
  Result<CodePoint> Character() {
    if (!Take('\\')) {
      return text_[at_++];
    }
    const CodePoint code = AtEnd() ? 0 : text_[at_++];
    switch (code) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'x':
        return Hex(2);
      case 'u':
        return Hex(4);
      case 'U':
        return Hex(8);
      case '"':
      case '\\':
      case '[':
      case ']':
      case '-':
      case '^':
      case '/':
        return code;
      default:
        return BadGrammar("an unknown escape");
    }
  }
  Result<CodePoint> Hex(size_t digits) {
    uint64_t code = 0;
    for (size_t i = 0; i < digits; ++i) {
      const CodePoint digit = AtEnd() ? 0 : text_[at_++];
      const CodePoint lower = digit | 0x20U;
      if (digit >= '0' && digit <= '9') {
        code = code * 16 + (digit - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        code = code * 16 + (lower - 'a' + 10);
      } else {
        return BadGrammar("an escape without its hexadecimal digits");
      }
    }
    return code < kCodePointEnd ? Result<CodePoint>(static_cast<CodePoint>(code))
                                : Result<CodePoint>(BadGrammar("no character"));
  }
  Result<Expression> ParseText() {
    std::vector<Expression> parts;
    while (!AtEnd() && Peek() != '"') {
      ATELIER_ASSIGN(code, Character());
      parts.push_back(Expression::Set(Normalized({{code, code}})));
    }
    if (!Take('"')) {
      return BadGrammar("a text has no end");
    }
    return Expression::Sequence(std::move(parts));
  }
  Result<Expression> ParseClass() {
    const bool negated = Take('^');
    CodeSet set;
    while (!AtEnd() && Peek() != ']') {
      ATELIER_ASSIGN(first, Character());
      CodePoint last = first;
      if (Peek() == '-' && Peek(1) != ']') {
        ++at_;
        if (AtEnd()) {
          break;
        }
        ATELIER_ASSIGN(end, Character());
        last = end;
      }
      if (last < first) {
        return BadGrammar("a range of a class is swapped");
      }
      set.push_back({first, last});
    }
    if (!Take(']')) {
      return BadGrammar("a class has no end");
    }
    set = Normalized(std::move(set));
    return Expression::Set(negated ? Complement(set) : std::move(set));
  }

  const GrammarLimits& limits_;
  RuleTable rules_;
};

}  // namespace

Result<GrammarPtr> CompileGbnf(std::string_view text, Budget& budget) {
  if (text.size() > budget.limits().max_source_bytes || !budget.Spend(text.size())) {
    return TooComplex("the grammar");
  }
  auto codes = DecodeUtf8(text);
  if (!codes) {
    return MakeError(Code::kInvalidArgument, "the grammar is no UTF-8", "invalid_grammar", "grammar");
  }
  GbnfParser parser(*std::move(codes), budget.limits());
  ATELIER_TRY(parser.Parse());
  const uint32_t root = parser.root();
  return BuildNetwork(parser.TakeRules(), root, budget);
}

Result<GrammarPtr> CompileGrammarText(std::string_view text, Budget& budget) {
  return text.find("::=") != std::string_view::npos ? CompileGbnf(text, budget) : CompileLark(text, budget);
}

}  // namespace atelier::engine::grammar

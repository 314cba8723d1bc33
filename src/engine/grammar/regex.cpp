#include "engine/grammar/regex.h"

#include <string>
#include <utility>

#include "engine/grammar/cursor.h"

namespace atelier::engine::grammar {
namespace {

Error Bad(const std::string& message) {
  return MakeError(Code::kInvalidArgument, "not a valid regular expression: " + message, "invalid_regex", "pattern");
}
Error NotRegular(const std::string& what) {
  return MakeError(Code::kInvalidArgument, what + " in a regular expression cannot be enforced", "unsupported_regex",
                   "pattern");
}

const CodeSet kDigits{{'0', '9'}};
const CodeSet kWords{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
// WhiteSpace and LineTerminator of ECMA-262.
const CodeSet kSpaces{{0x09, 0x0D},     {0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
                      {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
const CodeSet kLineEnds{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

class Parser : Cursor<std::vector<CodePoint>> {
 public:
  Parser(std::vector<CodePoint> pattern, const GrammarLimits& limits) : Cursor(std::move(pattern)), limits_(limits) {}

  Result<Expression> Parse() {
    ATELIER_ASSIGN(expression, ParseAlternatives(0));
    if (!AtEnd()) {
      return Bad("a ')' without its '('");
    }
    return expression;
  }

 private:
  Result<Expression> ParseAlternatives(size_t depth) {
    return ParseBetweenBars({depth, limits_.max_source_depth, "a pattern"}, [&] { return ParseSequence(depth); });
  }

  Result<Expression> ParseSequence(size_t depth) {
    std::vector<Expression> parts;
    while (!AtEnd() && Peek() != '|' && Peek() != ')') {
      ATELIER_ASSIGN(atom, ParseAtom(depth));
      ATELIER_ASSIGN(quantified, ParseQuantifier(std::move(atom)));
      parts.push_back(std::move(quantified));
    }
    return parts.size() == 1 ? std::move(parts.front()) : Expression::Sequence(std::move(parts));
  }

  Result<Expression> ParseQuantifier(Expression atom) {
    std::optional<Repetition> repetition = TakeRepetition();
    if (!repetition) {
      ATELIER_ASSIGN(braces, ParseBraces());
      repetition = braces;
    }
    if (!repetition) {
      return atom;
    }
    if (atom.kind == Expression::Kind::kAssertion) {
      return Bad("nothing to repeat");
    }
    Take('?');  // lazy: the same language
    if (Peek() == '*' || Peek() == '+' || Peek() == '?') {
      return Bad("nothing to repeat");
    }
    return Expression::Repeat(std::move(atom), repetition->min, repetition->max);
  }

  // {m}, {m,} or {m,n}; anything else after '{' is a literal, as browsers have it.
  Result<std::optional<Repetition>> ParseBraces() {
    const size_t begin = at_;
    if (!Take('{')) {
      return std::optional<Repetition>();
    }
    const auto low = Number();
    std::optional<uint32_t> high = low;
    if (low && Take(',')) {
      high = Number();
    }
    if (!low || !Take('}')) {
      at_ = begin;
      return std::optional<Repetition>();
    }
    if (*low > limits_.max_repetition || (high && *high > limits_.max_repetition)) {
      return TooComplex("a repetition");
    }
    if (high && *high < *low) {
      return Bad("a repetition whose bounds are swapped");
    }
    return std::optional(Repetition{*low, high});
  }

  Result<Expression> ParseAtom(size_t depth) {
    const CodePoint code = text_[at_++];
    switch (code) {
      case '(':
        return ParseGroup(depth);
      case '[':
        return ParseClass();
      case '.':
        return Expression::Set(Complement(kLineEnds));
      case '^':
        return Expression{.kind = Expression::Kind::kAssertion, .assertion = Assertion::kTextStart};
      case '$':
        return Expression{.kind = Expression::Kind::kAssertion, .assertion = Assertion::kTextEnd};
      case '*':
      case '+':
      case '?':
        return Bad("nothing to repeat");
      case '\\':
        return ParseEscape();
      default:
        return Expression::Set({{code, code}});
    }
  }

  Result<Expression> ParseGroup(size_t depth) {
    if (TakeText("?:")) {
    } else if (Peek() == '?' &&
               (Peek(1) == '=' || Peek(1) == '!' || (Peek(1) == '<' && (Peek(2) == '=' || Peek(2) == '!')))) {
      return NotRegular("lookaround");
    } else if (TakeText("?<") || TakeText("?P<")) {
      while (!AtEnd() && Peek() != '>') {
        ++at_;
      }
      if (!Take('>')) {
        return Bad("a group's name has no end");
      }
    } else if (Peek() == '?') {
      return NotRegular("this kind of group");
    }
    ATELIER_ASSIGN(inner, ParseAlternatives(depth + 1));
    if (!Take(')')) {
      return Bad("a group has no end");
    }
    // An assertion alone in a group must stay repeatable: (^)* is allowed.
    return inner.kind == Expression::Kind::kAssertion ? Expression::Sequence({std::move(inner)}) : std::move(inner);
  }

  Result<Expression> ParseEscape() {
    if (AtEnd()) {
      return Bad("it ends with a backslash");
    }
    if (Take('b')) {
      return Expression{.kind = Expression::Kind::kAssertion, .assertion = Assertion::kWordBoundary};
    }
    if (Take('B')) {
      return Expression{.kind = Expression::Kind::kAssertion, .assertion = Assertion::kNoWordBoundary};
    }
    if ((Peek() >= '1' && Peek() <= '9') || Peek() == 'k') {
      return NotRegular("a back-reference");
    }
    if (Take('A')) {
      return Expression{.kind = Expression::Kind::kAssertion, .assertion = Assertion::kTextStart};
    }
    if (Take('Z') || Take('z')) {
      return Expression{.kind = Expression::Kind::kAssertion, .assertion = Assertion::kTextEnd};
    }
    ATELIER_ASSIGN(set, ParseSetEscape());
    return Expression::Set(std::move(set));
  }

  // After the backslash: a set or one character, inside and outside of classes.
  Result<CodeSet> ParseSetEscape() {
    const CodePoint code = text_[at_++];
    const auto one = [](CodePoint c) { return CodeSet{{c, c}}; };
    switch (code) {
      case 'd':
        return kDigits;
      case 'D':
        return Complement(kDigits);
      case 'w':
        return kWords;
      case 'W':
        return Complement(kWords);
      case 's':
        return kSpaces;
      case 'S':
        return Complement(kSpaces);
      case 't':
        return one('\t');
      case 'n':
        return one('\n');
      case 'r':
        return one('\r');
      case 'f':
        return one('\f');
      case 'v':
        return one('\v');
      case '0':
        return one(0);
      case 'x':
        return ParseHex(2);
      case 'u':
        return ParseUnicode();
      case 'c':
        if ((Peek() | 0x20U) >= 'a' && (Peek() | 0x20U) <= 'z') {
          return one(text_[at_++] & 0x1FU);
        }
        return Bad("a control escape without a letter");
      case 'p':
      case 'P':
        return NotRegular("a Unicode property");
      default:
        return one(code);
    }
  }

  std::optional<CodePoint> Hex(size_t digits) {
    CodePoint code = 0;
    for (size_t i = 0; i < digits; ++i) {
      const CodePoint digit = Peek(i);
      const CodePoint lower = digit | 0x20U;
      if (digit >= '0' && digit <= '9') {
        code = code * 16 + (digit - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        code = code * 16 + (lower - 'a' + 10);
      } else {
        return std::nullopt;
      }
    }
    at_ += digits;
    return code;
  }
  Result<CodeSet> ParseHex(size_t digits) {
    const auto code = Hex(digits);
    if (!code) {
      return Bad("an escape without its hexadecimal digits");
    }
    return Normalized({{*code, *code}});
  }
  Result<CodeSet> ParseUnicode() {
    if (Take('{')) {
      size_t digits = 0;
      while (digits < 7 && Peek(digits) != '}' && Peek(digits) != 0) {
        ++digits;
      }
      const auto code = digits > 0 && digits < 7 ? Hex(digits) : std::nullopt;
      if (!code || *code >= kCodePointEnd || !Take('}')) {
        return Bad("a malformed \\u{...}");
      }
      return Normalized({{*code, *code}});
    }
    const auto code = Hex(4);
    if (!code) {
      return Bad("an escape without its hexadecimal digits");
    }
    if (*code >= kSurrogateBegin && *code < 0xDC00 && TakeText("\\u")) {
      const auto low = Hex(4);
      if (!low || *low < 0xDC00 || *low >= kSurrogateEnd) {
        return Bad("half of a surrogate pair");
      }
      const CodePoint joined = 0x10000 + ((*code - kSurrogateBegin) << 10U) + (*low - 0xDC00);
      return CodeSet{{joined, joined}};
    }
    return Normalized({{*code, *code}});
  }

  Result<Expression> ParseClass() {
    const bool negated = Take('^');
    CodeSet set;
    while (!AtEnd() && Peek() != ']') {
      ATELIER_ASSIGN(first, ParseClassAtom());
      if (Peek() != '-' || Peek(1) == ']' || at_ + 1 >= text_.size()) {
        set.insert(set.end(), first.begin(), first.end());
        continue;
      }
      const size_t dash = at_++;
      ATELIER_ASSIGN(last, ParseClassAtom());
      const bool singles =
          first.size() == 1 && last.size() == 1 && first[0].first == first[0].last && last[0].first == last[0].last;
      if (singles && first[0].first > last[0].first) {
        return Bad("a range of a class is swapped");
      }
      if (singles) {
        set.push_back({first[0].first, last[0].first});
      } else {  // [\w-.]: the dash stands for itself
        set.insert(set.end(), first.begin(), first.end());
        at_ = dash + 1;
        set.push_back({'-', '-'});
      }
    }
    if (!Take(']')) {
      return Bad("a class has no end");
    }
    set = Normalized(std::move(set));
    return Expression::Set(negated ? Complement(set) : std::move(set));
  }

  Result<CodeSet> ParseClassAtom() {
    if (!Take('\\')) {
      const CodePoint code = text_[at_++];
      return CodeSet{{code, code}};
    }
    if (AtEnd()) {
      return Bad("it ends with a backslash");
    }
    if (Take('b')) {
      return CodeSet{{'\b', '\b'}};
    }
    return ParseSetEscape();
  }

  const GrammarLimits& limits_;
};

}  // namespace

Result<Expression> ParseRegex(std::string_view pattern, const GrammarLimits& limits) {
  if (pattern.size() > limits.max_source_bytes) {
    return TooComplex("a pattern");
  }
  auto codes = DecodeUtf8(pattern);
  if (!codes) {
    return Bad("it is no UTF-8");
  }
  return Parser(*std::move(codes), limits).Parse();
}

Result<Dfa> CompileRegex(std::string_view pattern, RegexMatch match, Budget& budget) {
  ATELIER_ASSIGN(expression, ParseRegex(pattern, budget.limits()));
  if (match == RegexMatch::kPart) {
    expression =
        Expression::Sequence({Expression::Repeat(Expression::Set(AnyCode()), 0, std::nullopt), std::move(expression)});
  }
  return ToDfa(expression, match == RegexMatch::kPart ? Ending::kPrefix : Ending::kExact, budget);
}

}  // namespace atelier::engine::grammar

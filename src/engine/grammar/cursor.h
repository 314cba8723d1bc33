// Where a parser of a grammar or pattern stands in its text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/grammar/budget.h"
#include "engine/grammar/expression.h"

namespace atelier::engine::grammar {

struct Repetition {
  uint32_t min = 0;
  std::optional<uint32_t> max;  // nullopt: any number
};

// `Text`: a string of bytes or of code points. Parsers derive from it.
template <class Text>
class Cursor {
 protected:
  using Unit = typename Text::value_type;

  explicit Cursor(Text text) : text_(std::move(text)) {}

  bool AtEnd() const { return at_ >= text_.size(); }
  Unit Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : Unit{}; }
  bool Take(Unit unit) {
    if (AtEnd() || text_[at_] != unit) {
      return false;
    }
    ++at_;
    return true;
  }
  bool TakeText(std::string_view ascii) {
    for (size_t i = 0; i < ascii.size(); ++i) {
      if (at_ + i >= text_.size() || text_[at_ + i] != static_cast<Unit>(ascii[i])) {
        return false;
      }
    }
    at_ += ascii.size();
    return true;
  }
  // Decimal digits, capped at 100 million; nullopt: none come next.
  std::optional<uint32_t> Number() {
    std::optional<uint32_t> number;
    while (Peek() >= '0' && Peek() <= '9') {
      number = std::min<uint32_t>(number.value_or(0) * 10 + static_cast<uint32_t>(text_[at_++] - '0'), 100'000'000);
    }
    return number;
  }
  // '*', '+' or '?' after what is repeated; nullopt: something else comes next.
  std::optional<Repetition> TakeRepetition() {
    return Take('*')   ? std::optional(Repetition{0, std::nullopt})
           : Take('+') ? std::optional(Repetition{1, std::nullopt})
           : Take('?') ? std::optional(Repetition{0, 1})
                       : std::nullopt;
  }
  // From 1.
  ptrdiff_t Line() const {
    return 1 + std::count(text_.begin(), text_.begin() + static_cast<ptrdiff_t>(std::min(at_, text_.size())), '\n');
  }

  // "invalid_grammar", naming the line.
  Error BadGrammar(const std::string& message) const {
    return MakeError(Code::kInvalidArgument, "grammar, line " + std::to_string(Line()) + ": " + message,
                     "invalid_grammar", "grammar");
  }

  // How deep parsing is, how deep it may be, and in what.
  struct Nesting {
    size_t depth;
    size_t max_depth;
    const char* what;
  };

  // Sequences with '|' between them. Errors: "schema_too_deep", those of `parse_sequence`.
  template <class ParseSequence>
  Result<Expression> ParseBetweenBars(const Nesting& nesting, ParseSequence parse_sequence) {
    if (nesting.depth > nesting.max_depth) {
      return TooDeep(nesting.what);
    }
    std::vector<Expression> alternatives;
    do {
      ATELIER_ASSIGN(sequence, parse_sequence());
      alternatives.push_back(std::move(sequence));
    } while (Take('|'));
    return alternatives.size() == 1 ? std::move(alternatives.front())
                                    : Expression::Alternatives(std::move(alternatives));
  }

  // An expression with all repetitions behind it, each of which take() reads if there is one more: a
  // Result<std::optional<Repetition>>. Errors: "schema_too_deep", those of `take`.
  template <class Take>
  static Result<Expression> Repeated(Expression atom, size_t max_depth, Take take) {
    for (size_t depth = 0;; ++depth) {
      ATELIER_ASSIGN(repetition, take());
      if (!repetition) {
        return atom;
      }
      if (depth > max_depth) {
        return TooDeep("the grammar");
      }
      atom = Expression::Repeat(std::move(atom), repetition->min, repetition->max);
    }
  }

  const Text text_;
  size_t at_ = 0;
};

}  // namespace atelier::engine::grammar

// Trees of sequences, alternatives and repetitions over sets of characters: what regular expressions and grammars are
// parsed to; and their translation to automata.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/grammar/budget.h"
#include "engine/grammar/dfa.h"

namespace atelier::engine::grammar {

enum class Assertion : uint8_t { kTextStart, kTextEnd, kWordBoundary, kNoWordBoundary };

struct Expression {
  enum class Kind : uint8_t { kSet, kSequence, kAlternatives, kRepeat, kAssertion, kRule };

  Kind kind = Kind::kSequence;
  CodeSet set{};                       // kSet: one code point of it; normalized
  std::vector<Expression> children{};  // kRepeat has one; an empty kSequence is the empty text
  uint32_t min = 0;                    // kRepeat
  std::optional<uint32_t> max{};       // kRepeat; nullopt: without end
  Assertion assertion{};               // kAssertion
  uint32_t rule = 0;                   // kRule: number of a grammar's rule

  static Expression Set(CodeSet set) { return {.kind = Kind::kSet, .set = std::move(set)}; }
  static Expression Sequence(std::vector<Expression> children) {
    return {.kind = Kind::kSequence, .children = std::move(children)};
  }
  static Expression Alternatives(std::vector<Expression> children) {
    return {.kind = Kind::kAlternatives, .children = std::move(children)};
  }
  static Expression Repeat(Expression child, uint32_t min, std::optional<uint32_t> max);
  static Expression Text(std::string_view utf8);  // bytes that are no UTF-8 give the empty set
};

// Subset construction (Rabin and Scott, "Finite automata and their decision problems", 1959) over Thompson's
// automaton. The expression must hold no rules. kPrefix: texts that go on in any way after a match belong to the
// language, too. Errors: "schema_too_complex".
enum class Ending { kExact, kPrefix };
Result<Dfa> ToDfa(const Expression& expression, Ending ending, Budget& budget);

}  // namespace atelier::engine::grammar

// What compiling one grammar may cost. A source from outside (a schema, a regular expression, a grammar) can describe
// exponentially much in little text, so every loop of the compilers pays from one budget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace atelier::engine::grammar {

struct GrammarLimits {
  uint64_t max_steps = 30'000'000;      // elementary steps of compiling; about 0.1 to 0.3 s
  int64_t max_compile_ms = 2000;        // looked at only where a clock is given
  size_t max_cells = 16U << 20U;        // transitions of all automata together
  size_t max_source_bytes = 1U << 20U;  // of the schema, expression or grammar
  size_t max_source_depth = 64;         // of nesting in the source
  size_t max_rules = 20'000;            // distinct value shapes
  size_t max_alternatives = 256;        // of one value after all disjunctions are multiplied out
  size_t max_properties = 2000;         // of one object
  uint32_t max_repetition = 100'000;    // bounds in regular expressions and grammars
};

// Counts down; once exhausted it stays so. Not thread-safe. The clock, if any, must outlive it.
class Budget {
 public:
  explicit Budget(const GrammarLimits& limits, const Clock* clock = nullptr);

  // False when the work must stop.
  bool Spend(uint64_t steps = 1);
  bool SpendCells(size_t cells);
  const GrammarLimits& limits() const { return limits_; }

 private:
  GrammarLimits limits_;
  const Clock* clock_;
  int64_t deadline_ns_ = 0;
  uint64_t steps_ = 0;
  uint64_t next_look_ = 0;
  size_t cells_ = 0;
  bool exhausted_ = false;
};

// kInvalidArgument "schema_too_complex", "schema_too_deep".
Error TooComplex(const std::string& what);
Error TooDeep(const std::string& what);
// kInvalidArgument "unsupported_schema_keyword"; `pointer` is the JSON pointer of the place.
Error Unsupported(const std::string& what, const std::string& pointer);

}  // namespace atelier::engine::grammar

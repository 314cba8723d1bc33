// Builds a grammar of plain text (not JSON) from rules that are expressions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/grammar/expression.h"
#include "engine/grammar/grammar.h"

namespace atelier::engine::grammar {

// Rule i is rules[i]; kRule expressions name rules by number. What holds no recursion becomes one automaton each.
// Errors: "schema_too_complex", "invalid_grammar" (left recursion), "unsatisfiable_schema".
Result<GrammarPtr> BuildNetwork(std::vector<Expression> rules, uint32_t start, Budget& budget);

// The texts that match the regular expression from start to end. Errors: those of CompileRegex, too.
Result<GrammarPtr> CompileRegexGrammar(std::string_view pattern, Budget& budget);
// One of these texts. Errors: kInvalidArgument "invalid_grammar" (none), "schema_too_complex".
Result<GrammarPtr> CompileChoices(const std::vector<std::string>& choices, Budget& budget);

}  // namespace atelier::engine::grammar

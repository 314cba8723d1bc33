// Regular expressions of ECMA-262 (https://262.ecma-international.org/#sec-patterns), as JSON Schema and guided_regex
// use them: what is regular in them. Lookaround and back-references are refused.
#pragma once

#include <string_view>

#include "base/result.h"
#include "engine/grammar/expression.h"

namespace atelier::engine::grammar {

enum class RegexMatch {
  kWhole,  // the text matches from its start to its end
  kPart,   // some part of the text matches, as JSON Schema's "pattern" says it
};

// Characters, escapes (\d \w \s \b \t \xHH \uHHHH \u{...} ...), classes, groups (named and not, capturing or not),
// alternatives, * + ? {m,n} and their lazy spellings, ^ and $. Errors: kInvalidArgument "invalid_regex" (malformed),
// "unsupported_regex" (lookaround, back-reference, \p), "schema_too_complex".
Result<Expression> ParseRegex(std::string_view pattern, const GrammarLimits& limits);
Result<Dfa> CompileRegex(std::string_view pattern, RegexMatch match, Budget& budget);

}  // namespace atelier::engine::grammar

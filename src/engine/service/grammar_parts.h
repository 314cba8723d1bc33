// Grammars made of words, of a regular expression, and of other grammars.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/grammar/budget.h"
#include "engine/grammar/grammar.h"

namespace atelier::engine::grammar {

// A literal text, a text of `inner`, another literal text; either literal may be empty.
struct FramedGrammar {
  std::string prefix;
  GrammarPtr inner;
  std::string suffix;
};

// Errors of all: "schema_too_complex", those of Finish.
Result<GrammarPtr> GrammarOfWords(const std::vector<std::string>& words, Budget& budget);
// The whole text matches. Errors also: "invalid_regex", "unsupported_regex".
Result<GrammarPtr> GrammarOfRegex(std::string_view regex, Budget& budget);
// One of the alternatives, at least one, all compiled from JSON schemas with the same options.
Result<GrammarPtr> GrammarOfAlternatives(const std::vector<FramedGrammar>& alternatives, Budget& budget);

}  // namespace atelier::engine::grammar

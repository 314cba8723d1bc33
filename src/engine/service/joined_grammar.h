// A grammar made of other grammars.
#pragma once

#include <string>
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

// One of the alternatives, at least one, all compiled from JSON schemas with the same options. Errors:
// "schema_too_complex", those of Finish.
Result<GrammarPtr> GrammarOfAlternatives(const std::vector<FramedGrammar>& alternatives, Budget& budget);

}  // namespace atelier::engine::grammar

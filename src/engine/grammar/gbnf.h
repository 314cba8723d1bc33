// Grammars in GBNF, the notation of llama.cpp (https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md),
// and in the part of Lark's notation that others accept beside it
// (https://lark-parser.readthedocs.io/en/stable/grammar.html).
#pragma once

#include <string_view>

#include "base/result.h"
#include "engine/grammar/budget.h"
#include "engine/grammar/grammar.h"

namespace atelier::engine::grammar {

// `name ::= ...` with "texts", [classes], ., groups, |, * + ? {m,n}, # comments; starts at `root`. Errors:
// kInvalidArgument "invalid_grammar" (malformed, an undefined rule, none named root, left recursion), and those of
// BuildNetwork.
Result<GrammarPtr> CompileGbnf(std::string_view text, Budget& budget);

// `name: ...` and `NAME: ...` with "texts" (also "..."i), /regexes/, groups, [optional], |, * + ? ~n ~m..n, //
// comments, aliases, %ignore of terminals, %import common.NAME of the usual ones; starts at `start`. No templates, no
// %declare.
Result<GrammarPtr> CompileLark(std::string_view text, Budget& budget);

// Either, by whether the text has "::=".
Result<GrammarPtr> CompileGrammarText(std::string_view text, Budget& budget);

}  // namespace atelier::engine::grammar

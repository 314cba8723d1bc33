// JSON Schema (draft 2020-12, and the spellings of drafts 4 to 2019-09) as a grammar of the JSON texts that it allows.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "engine/grammar/budget.h"
#include "engine/grammar/grammar.h"

namespace atelier::engine::grammar {

enum class PropertyOrder {
  kDeclared,  // as the schema declares them, other keys after them: what generation wants
  kAny,       // in any order, for objects of at most 64 declared properties; the others as kDeclared
};
enum class JsonWhitespace {
  kCompact,   // none
  kFlexible,  // where a usual serialiser puts it: one space, or a line break and an indent of at most 64
};

struct JsonOptions {
  PropertyOrder order = PropertyOrder::kDeclared;
  JsonWhitespace whitespace = JsonWhitespace::kFlexible;
};

// The texts of the grammar are valid instances, and every valid instance has such a text, but for numbers spelled with
// an exponent where their value is constrained, and keys beyond the declared ones may repeat. "format" is enforced
// where it is regular (see formats.h). Unknown keywords and annotations are ignored; a keyword that cannot be enforced
// is an error. Errors: kInvalidArgument "unsupported_schema_keyword" (`param` is the JSON pointer),
// "schema_too_complex", "unsatisfiable_schema".
Result<GrammarPtr> CompileJsonSchema(const json::value& schema, const JsonOptions& options, Budget& budget);
// Parses the schema first; errors also: "invalid_json".
Result<GrammarPtr> CompileJsonSchemaText(std::string_view schema, const JsonOptions& options, Budget& budget);
// Any JSON object.
Result<GrammarPtr> CompileJsonObject(const JsonOptions& options, Budget& budget);

}  // namespace atelier::engine::grammar

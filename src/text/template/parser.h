// Parses the language of chat templates: Jinja 3.1 with loop controls and generation blocks, without what reaches other
// templates (include, import, extends, block).
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "text/template/ast.h"

namespace atelier::text::jinja {

// Nesting of expressions and blocks; deeper is refused.
inline constexpr int kMaxSyntaxDepth = 100;
inline constexpr size_t kMaxParameters = 255;  // of a macro, and arguments with names of a call
inline constexpr size_t kMaxTemplateBytes = 1U << 20U;

// Errors: kInvalidArgument "invalid_template" with the line: broken syntax, too deep, unknown tags, and filters and
// tests that are unknown, unless they stand behind a condition (as in jinja2, that is an error when it is reached).
Result<Body> ParseTemplate(std::string_view source);

}  // namespace atelier::text::jinja

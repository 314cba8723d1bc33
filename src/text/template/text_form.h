// Values as text: str() and repr() of Python, and JSON as Python's json.dumps writes it.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "text/template/runtime.h"
#include "text/template/value.h"

namespace atelier::text::jinja {

std::string IntText(Int number);
// The shortest digits that give the number back, laid out as repr() does: 1.0, 1e+16, 1e-05, inf, nan.
std::string FloatText(double number);

// Errors of all: those of the runtime's limits (also of values that contain themselves).
Status AppendStr(TextBuilder& out, const Value& value);
Status AppendRepr(TextBuilder& out, const Value& value);
Result<std::string> Str(Runtime& runtime, const Value& value);

struct JsonStyle {
  bool ensure_ascii = false;
  std::optional<std::string> indent{};  // of one level; without it all is on one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
};
// Errors: also kInvalidArgument "template_error" for what JSON has no form for (undefined, generators, objects).
Status AppendJson(TextBuilder& out, const Value& value, const JsonStyle& style);

// With the five characters of HTML that jinja2's `escape` replaces.
Status AppendEscaped(TextBuilder& out, std::string_view text);

}  // namespace atelier::text::jinja

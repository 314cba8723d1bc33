// Python's two ways to format: '%s and %d' % values, and '{} and {name}'.format(...).
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/template/runtime.h"
#include "text/template/value.h"

namespace atelier::text::jinja {

// `values` is a tuple of values, a dict for %(name)s, or the one value. Conversions: s r a d i u f F e E g G x X o c %,
// with flags, width and precision. Errors: kInvalidArgument "template_error" as Python raises.
Result<Value> PercentFormat(Runtime& runtime, std::string_view format, const Value& values);

// Fields: empty, a number or a name, then attributes and items (`{a.b[0]}`), `!r` or `!s`, and a format of fill, align,
// sign, '#', width, ',', precision and type. No nested fields.
Result<Value> BraceFormat(Runtime& runtime, std::string_view format, const CallArgs& args);

}  // namespace atelier::text::jinja

// What operators do with values, as Python defines it. Errors of all: kInvalidArgument "template_error" where Python
// or jinja2 raises, and those of the runtime's limits.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "text/template/ast.h"
#include "text/template/runtime.h"
#include "text/template/value.h"

namespace atelier::text::jinja {

Result<Value> Apply(Runtime& runtime, BinaryOperator operation, const Value& a, const Value& b);
Result<Value> Negate(const Value& value, bool minus);
Result<bool> ApplyCompare(Runtime& runtime, CompareOperator operation, const Value& a, const Value& b);

Result<bool> Equal(Runtime& runtime, const Value& a, const Value& b);
// a < b; numbers, strings, lists and tuples have an order.
Result<bool> Less(Runtime& runtime, const Value& a, const Value& b);
Result<bool> Contains(Runtime& runtime, const Value& container, const Value& item);

// base.name: a method first, then an entry. Undefined when there is neither.
Result<Value> GetAttribute(Runtime& runtime, const Value& base, const std::string& name, const Value& key);
// base[index]: an entry first, then a method. `name` is what messages call it; may be null.
Result<Value> GetItem(Runtime& runtime, const Value& base, const Value& index, const std::string* name = nullptr);
struct SliceBounds {
  Value begin;
  Value end;
  Value step;
};
// Bounds that are None are absent.
Result<Value> GetSlice(Runtime& runtime, const Value& base, const SliceBounds& bounds);

// The items that a loop over the value sees: of a list, the keys of a dict, the characters of a string, nothing of
// undefined. A generator is empty afterwards.
Result<std::vector<Value>> Iterate(Runtime& runtime, const Value& value);
Result<Value> Length(Runtime& runtime, const Value& value);

// "'x' is undefined".
Error UndefinedError(const Value& value);

}  // namespace atelier::text::jinja

// What is built in: filters, tests, methods and global functions, in one form. A filter or test gets its input as
// `self`, a method the object that it is called on.
#pragma once

#include <array>
#include <string_view>

#include "base/result.h"
#include "text/template/value.h"

namespace atelier::text::jinja {

// The arguments are already matched to the parameters: args.positional has one value for each, undefined where the
// template gave none. A variadic function gets them as they were given.
using NativeFunction = Result<Value> (*)(Runtime& runtime, const Value& self, const CallArgs& args);

struct Native {
  std::string_view name;
  NativeFunction function;
  size_t required = 0;  // of the parameters
  std::array<std::string_view, 4> parameters{};
  bool variadic = false;
};

// Null when there is none. Aliases have rows of their own.
const Native* FindFilter(std::string_view name);
const Native* FindTest(std::string_view name);
const Native* FindGlobal(std::string_view name);
// A method of the value's type: of str, list, tuple, dict; null for other types.
const Native* FindMethod(const Value& self, std::string_view name);

// Matches the arguments and calls. Errors: kInvalidArgument "template_error" (too many arguments, unknown names,
// missing ones), those of the function.
Result<Value> CallNative(Runtime& runtime, const Native& native, const Value& self, CallArgs args);

}  // namespace atelier::text::jinja

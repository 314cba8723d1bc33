// What filters, tests and methods share.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/template/native.h"
#include "text/template/operations.h"
#include "text/template/runtime.h"
#include "text/template/text_form.h"
#include "text/template/unicode.h"

namespace atelier::text::jinja {

// The tables that FindFilter, FindTest, FindGlobal and FindMethod look through.
std::span<const Native> TextFilters();
std::span<const Native> NumberFilters();
std::span<const Native> SequenceFilters();
std::span<const Native> SelectionFilters();
std::span<const Native> StringMethods();
std::span<const Native> MoreStringMethods();
std::span<const Native> ListMethods();
std::span<const Native> DictMethods();

// An integer argument, or `fallback` where it is absent or None. Errors: of another type.
Result<Int> IntArgument(const CallArgs& args, size_t index, Int fallback);
// The same, brought into the range of sizes.
Result<size_t> SizeArgument(const CallArgs& args, size_t index, size_t fallback);
// A string argument. Errors: of another type.
Result<std::string_view> TextArgument(const CallArgs& args, size_t index);
inline bool FlagArgument(const CallArgs& args, size_t index) { return Truth(args.positional[index]); }
inline bool IsAbsent(const Value& value) { return value.is_undefined() || value.is_none(); }

// Follows "a.b.0" from `item`; an integer is an index. `fallback`, if given, stands for what is undefined, on every
// step of the path.
Result<Value> FollowPath(Runtime& runtime, const Value& item, const Value& path, const Value& fallback = Value());
// The value that `sort`, `unique`, `min` and `max` compare: of the path, if there is one, in lower case unless
// `case_sensitive`.
Result<Value> SortKey(Runtime& runtime, const Value& item, const Value& path, bool case_sensitive);

using Keyed = std::pair<Value, Value>;  // the key, the item
// Sorts by key, stable; `reverse` keeps equal items in their order too, as Python does. Errors: keys without order.
Status SortByKey(Runtime& runtime, std::vector<Keyed>& items, bool reverse);

// The pairs of a dict as tuples.
std::vector<Value> PairsOf(Runtime& runtime, const Dict& dict);

// Lines as str.splitlines() cuts them; with their ends if `keep_ends`.
std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends);
// str.replace(); `count` < 0: all.
Status ReplaceAll(TextBuilder& out, std::string_view text, const std::pair<std::string_view, std::string_view>& change,
                  Int count);

}  // namespace atelier::text::jinja

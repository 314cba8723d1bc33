#include "text/template/native.h"

#include <algorithm>

#include "text/template/native_support.h"

namespace atelier::text::jinja {
namespace {

const Native* FindIn(std::span<const Native> table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Native::name);
  return found == table.end() ? nullptr : &*found;
}

std::string Quoted(const Native& native) { return "'" + std::string(native.name) + "'"; }

size_t ParameterCount(const Native& native) {
  return static_cast<size_t>(std::ranges::find(native.parameters, std::string_view()) - native.parameters.begin());
}

// Puts named arguments where their parameters are.
Status Match(const Native& native, CallArgs& args) {
  const size_t count = ParameterCount(native);
  if (args.positional.size() > count) {
    return TemplateError(Quoted(native) + " takes at most " + std::to_string(count) + " arguments");
  }
  std::vector<bool> given(count, false);
  std::fill_n(given.begin(), args.positional.size(), true);
  args.positional.resize(count);
  for (auto& [name, value] : args.named) {
    const auto at = static_cast<size_t>(std::ranges::find(native.parameters, name) - native.parameters.begin());
    if (at >= count || given[at]) {
      return TemplateError(Quoted(native) + " got an unexpected argument '" + name + "'");
    }
    given[at] = true;
    args.positional[at] = std::move(value);
  }
  args.named.clear();
  const auto missing = static_cast<size_t>(std::ranges::find(given, false) - given.begin());
  if (missing < native.required) {
    return TemplateError(Quoted(native) + " needs the argument '" + std::string(native.parameters.at(missing)) + "'");
  }
  return {};
}

Error WrongArgument(size_t index, std::string_view wanted, const Value& value) {
  return value.is_undefined() ? UndefinedError(value)
                              : TemplateError("argument " + std::to_string(index + 1) + " must be " +
                                              std::string(wanted) + ", not '" + std::string(TypeName(value)) + "'");
}

}  // namespace

const Native* FindFilter(std::string_view name) {
  for (const auto table : {TextFilters(), SequenceFilters(), SelectionFilters(), NumberFilters()}) {
    if (const Native* found = FindIn(table, name)) {
      return found;
    }
  }
  return nullptr;
}

const Native* FindMethod(const Value& self, std::string_view name) {
  if (self.is_text()) {
    const Native* found = FindIn(StringMethods(), name);
    return found == nullptr ? FindIn(MoreStringMethods(), name) : found;
  }
  if (self.dict() != nullptr) {
    return FindIn(DictMethods(), name);
  }
  const List* list = self.list();
  if (list == nullptr || (list->shape != Shape::kList && list->shape != Shape::kTuple)) {
    return nullptr;
  }
  const bool of_tuple = name == "index" || name == "count";
  return list->shape == Shape::kTuple && !of_tuple ? nullptr : FindIn(ListMethods(), name);
}

Result<Value> CallNative(Runtime& runtime, const Native& native, const Value& self, CallArgs args) {
  const DepthGuard guard(runtime);  // `map` and its like call each other
  ATELIER_TRY(guard.status());
  ATELIER_TRY(runtime.Step());
  if (!native.variadic) {
    ATELIER_TRY(Match(native, args));
  }
  return native.function(runtime, self, args);
}

Result<Int> IntArgument(const CallArgs& args, size_t index, Int fallback) {
  const Value& value = args.positional[index];
  if (IsAbsent(value)) {
    return fallback;
  }
  const auto number = value.AsInt();
  return number ? Result<Int>(*number) : WrongArgument(index, "an integer", value);
}

Result<size_t> SizeArgument(const CallArgs& args, size_t index, size_t fallback) {
  ATELIER_ASSIGN(number, IntArgument(args, index, static_cast<Int>(fallback)));
  return static_cast<size_t>(std::clamp<Int>(number, 0, Int{1} << 40U));
}

Result<std::string_view> TextArgument(const CallArgs& args, size_t index) {
  const Value& value = args.positional[index];
  return value.is_text() ? Result<std::string_view>(value.text()) : WrongArgument(index, "a string", value);
}

Result<Value> FollowPath(Runtime& runtime, const Value& item, const Value& path, const Value& fallback) {
  if (!path.is_text()) {
    ATELIER_ASSIGN(found, GetItem(runtime, item, path));
    return found.is_undefined() ? fallback : found;
  }
  Value value = item;
  std::string_view rest = path.text();
  for (bool more = true; more;) {
    ATELIER_TRY(runtime.Step());
    const size_t dot = rest.find('.');
    const std::string_view part = rest.substr(0, dot);
    more = dot != std::string_view::npos;
    rest.remove_prefix(more ? dot + 1 : rest.size());
    const bool number = !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == part.npos;
    const Value key = number ? Value(static_cast<Int>(std::stoul(std::string(part)))) : Value::Constant(part);
    ATELIER_ASSIGN(next, GetItem(runtime, value, key));
    value = next.is_undefined() ? fallback : next;
  }
  return value;
}

Result<Value> SortKey(Runtime& runtime, const Value& item, const Value& path, bool case_sensitive) {
  Value key = item;
  if (!IsAbsent(path)) {
    ATELIER_ASSIGN(found, FollowPath(runtime, item, path));
    key = found;
  }
  ATELIER_TRY(runtime.Step(key.text().size() / 16));
  if (key.is_text() && !case_sensitive) {
    return runtime.heap().NewText(Lower(key.text()));
  }
  return key;
}

Status SortByKey(Runtime& runtime, std::vector<Keyed>& items, bool reverse) {
  // A merge sort from below; comparing may fail, which the standard's sorts cannot express.
  std::vector<Keyed> merged(items.size());
  for (size_t width = 1; width < items.size(); width *= 2) {
    for (size_t begin = 0; begin < items.size(); begin += 2 * width) {
      const size_t middle = std::min(begin + width, items.size());
      const size_t end = std::min(begin + 2 * width, items.size());
      size_t left = begin;
      size_t right = middle;
      for (size_t at = begin; at < end; ++at) {
        bool take_right = left == middle;
        if (left < middle && right < end) {
          const Value& a = items[left].first;
          const Value& b = items[right].first;
          ATELIER_ASSIGN(less, reverse ? Less(runtime, a, b) : Less(runtime, b, a));
          take_right = less;
        }
        merged[at] = std::move(items[take_right ? right++ : left++]);
      }
    }
    items.swap(merged);
  }
  return {};
}

std::vector<Value> PairsOf(Runtime& runtime, const Dict& dict) {
  std::vector<Value> pairs;
  pairs.reserve(dict.entries().size());
  for (const auto& [key, value] : dict.entries()) {
    pairs.push_back(runtime.heap().NewList({key, value}, Shape::kTuple));
  }
  return pairs;
}

std::vector<std::string_view> SplitLines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeAt(text, at);
    const bool ends = (point.value >= 0xA && point.value <= 0xD) || (point.value >= 0x1C && point.value <= 0x1E) ||
                      point.value == 0x85 || point.value == 0x2028 || point.value == 0x2029;
    const size_t line_end = at;
    at += point.bytes;
    if (ends) {
      at += point.value == '\r' && at < text.size() && text[at] == '\n' ? 1 : 0;
      lines.push_back(text.substr(begin, (keep_ends ? at : line_end) - begin));
      begin = at;
    }
  }
  if (begin < text.size()) {
    lines.push_back(text.substr(begin));
  }
  return lines;
}

Status ReplaceAll(TextBuilder& out, std::string_view text, const std::pair<std::string_view, std::string_view>& change,
                  Int count) {
  const auto& [old_text, new_text] = change;
  ATELIER_TRY(out.runtime().StepSearch(text, old_text));
  size_t at = 0;
  for (; count != 0 && at <= text.size(); --count) {
    const size_t found = text.find(old_text, at);
    if (found == std::string_view::npos) {
      break;
    }
    ATELIER_TRY(out.runtime().Step());
    ATELIER_TRY(out.Add(text.substr(at, found - at)));
    ATELIER_TRY(out.Add(new_text));
    at = found + old_text.size();
    if (old_text.empty()) {  // between all characters
      const size_t bytes = at < text.size() ? DecodeAt(text, at).bytes : 0;
      ATELIER_TRY(out.Add(text.substr(at, bytes)));
      at += std::max<size_t>(bytes, 1);
    }
  }
  return out.Add(text.substr(std::min(at, text.size())));
}

}  // namespace atelier::text::jinja

// Methods of str.
#include <algorithm>

#include "text/template/format.h"
#include "text/template/native_support.h"

namespace atelier::text::jinja {
namespace {

template <std::string (*function)(std::string_view)>
Result<Value> Convert(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_TRY(runtime.StepBytes(self.text().size()));
  return runtime.heap().NewText(function(self.text()));
}

template <Ends ends>
Result<Value> Strip(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_TRY(runtime.StepBytes(self.text().size()));
  if (IsAbsent(args.positional[0])) {
    return runtime.heap().NewText(std::string(StripSpace(self.text(), ends)));
  }
  ATELIER_ASSIGN(characters, TextArgument(args, 0));
  ATELIER_TRY(runtime.Step(characters.size() / 4));
  return runtime.heap().NewText(std::string(StripCharacters(self.text(), characters, ends)));
}

// Of a prefix or suffix, or of any of a tuple of them.
template <bool at_start>
Result<Value> HasAffix(Runtime& runtime, const Value& self, const CallArgs& args) {
  const auto has = [&](std::string_view affix) {
    return at_start ? self.text().starts_with(affix) : self.text().ends_with(affix);
  };
  const List* several = args.positional[0].list();
  if (several == nullptr || several->shape != Shape::kTuple) {
    ATELIER_ASSIGN(affix, TextArgument(args, 0));
    ATELIER_TRY(runtime.StepBytes(affix.size()));
    return Value(has(affix));
  }
  for (const Value& item : several->items) {
    ATELIER_TRY(runtime.StepBytes(item.text().size()));
  }
  return Value(
      std::ranges::any_of(several->items, [&](const Value& item) { return item.is_text() && has(item.text()); }));
}

template <bool at_start>
Result<Value> RemoveAffix(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(affix, TextArgument(args, 0));
  std::string_view text = self.text();
  if (at_start && text.starts_with(affix)) {
    text.remove_prefix(affix.size());
  } else if (!at_start && text.ends_with(affix)) {
    text.remove_suffix(affix.size());
  }
  ATELIER_TRY(runtime.StepBytes(text.size()));
  return runtime.heap().NewText(std::string(text));
}

// Python's title(): a letter behind something without case begins a word.
std::string TitleWords(std::string_view text) {
  std::string out;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeAt(text, at);
    const std::string_view character = text.substr(at, point.bytes);
    out += inside ? Lower(character) : Upper(character);
    inside = Lower(character) != Upper(character);
    at += point.bytes;
  }
  return out;
}

std::string SwapCase(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeAt(text, at);
    const std::string_view character = text.substr(at, point.bytes);
    const std::string upper = Upper(character);
    out += upper == character ? Lower(character) : upper;
    at += point.bytes;
  }
  return out;
}

Result<Value> Replace(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(old_text, TextArgument(args, 0));
  ATELIER_ASSIGN(new_text, TextArgument(args, 1));
  ATELIER_ASSIGN(count, IntArgument(args, 2, -1));
  TextBuilder out(runtime);
  ATELIER_TRY(ReplaceAll(out, self.text(), {old_text, new_text}, count));
  return out.Finish();
}

Result<Value> JoinItems(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(items, Iterate(runtime, args.positional[0]));
  TextBuilder out(runtime);
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_text()) {
      return TemplateError("join needs strings, not '" + std::string(TypeName(items[i])) + "'");
    }
    ATELIER_TRY(out.Add(i == 0 ? std::string_view() : self.text()));
    ATELIER_TRY(out.Add(items[i].text()));
  }
  return out.Finish();
}

Result<Value> Format(Runtime& runtime, const Value& self, const CallArgs& args) {
  return BraceFormat(runtime, self.text(), args);
}

template <bool from_end, bool must>
Result<Value> Find(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(needle, TextArgument(args, 0));
  const std::string_view text = self.text();
  ATELIER_TRY(runtime.StepSearch(text, needle));
  ATELIER_TRY(runtime.StepBytes(text.size()));
  size_t begin = 0;
  size_t end = text.size();
  if (!IsAbsent(args.positional[1]) || !IsAbsent(args.positional[2])) {
    const SliceBounds bounds{IsAbsent(args.positional[1]) ? Value(None{}) : args.positional[1],
                             IsAbsent(args.positional[2]) ? Value(None{}) : args.positional[2], Value(None{})};
    const Value before{None{}};
    ATELIER_ASSIGN(part, GetSlice(runtime, self, bounds));
    ATELIER_ASSIGN(tail, GetSlice(runtime, self, {bounds.begin, before, before}));
    begin = IsAbsent(args.positional[1]) ? 0 : text.size() - tail.text().size();
    end = begin + part.text().size();
  }
  const std::string_view range = text.substr(begin, end - begin);
  const size_t found = from_end ? range.rfind(needle) : range.find(needle);
  if (found == std::string_view::npos) {
    return must ? Result<Value>(TemplateError("substring not found")) : Value(Int{-1});
  }
  return Value::Size(CountCodePoints(text.substr(0, begin + found)));
}

Result<Value> Count(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(needle, TextArgument(args, 0));
  const std::string_view text = self.text();
  ATELIER_TRY(runtime.StepSearch(text, needle));
  if (needle.empty()) {
    return Value::Size(CountCodePoints(text) + 1);
  }
  size_t count = 0;
  for (size_t at = text.find(needle); at != std::string_view::npos; at = text.find(needle, at + needle.size())) {
    ++count;
  }
  return Value::Size(count);
}

template <bool (*predicate)(char32_t)>
Result<Value> AllAre(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  const std::string_view text = self.text();
  ATELIER_TRY(runtime.StepBytes(text.size()));
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeAt(text, at);
    if (!predicate(point.value)) {
      return Value(false);
    }
    at += point.bytes;
  }
  return Value(!text.empty());
}

bool IsDigit(char32_t value) { return value >= '0' && value <= '9'; }

template <bool upper>
Result<Value> HasCase(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_TRY(runtime.StepBytes(self.text().size()));
  const std::string raised = Upper(self.text());
  const std::string lowered = Lower(self.text());
  return Value(self.text() == (upper ? raised : lowered) && self.text() != (upper ? lowered : raised));
}

constexpr Native kTable[] = {
    {"capitalize", Convert<Capitalize>},
    {"count", Count, 1, {"sub"}},
    {"endswith", HasAffix<false>, 1, {"suffix"}},
    {"find", Find<false, false>, 1, {"sub", "start", "end"}},
    {"format", Format, 0, {}, true},
    {"index", Find<false, true>, 1, {"sub", "start", "end"}},
    {"isdigit", AllAre<IsDigit>},
    {"islower", HasCase<false>},
    {"isspace", AllAre<IsSpace>},
    {"isupper", HasCase<true>},
    {"join", JoinItems, 1, {"iterable"}},
    {"lower", Convert<Lower>},
    {"lstrip", Strip<Ends::kLeft>, 0, {"chars"}},
    {"removeprefix", RemoveAffix<true>, 1, {"prefix"}},
    {"removesuffix", RemoveAffix<false>, 1, {"suffix"}},
    {"replace", Replace, 2, {"old", "new", "count"}},
    {"rfind", Find<true, false>, 1, {"sub", "start", "end"}},
    {"rindex", Find<true, true>, 1, {"sub", "start", "end"}},
    {"rstrip", Strip<Ends::kRight>, 0, {"chars"}},
    {"startswith", HasAffix<true>, 1, {"prefix"}},
    {"strip", Strip<Ends::kBoth>, 0, {"chars"}},
    {"swapcase", Convert<SwapCase>},
    {"title", Convert<TitleWords>},
    {"upper", Convert<Upper>},
};

}  // namespace

std::span<const Native> StringMethods() { return kTable; }

}  // namespace atelier::text::jinja

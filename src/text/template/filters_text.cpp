// Filters of strings.
#include <algorithm>

#include "text/template/format.h"
#include "text/template/native_support.h"

namespace atelier::text::jinja {
namespace {

// Applies a function of strings to the value's text.
template <class Function>
Result<Value> OnText(Runtime& runtime, const Value& self, const Function& function) {
  ATELIER_ASSIGN(text, Str(runtime, self));
  ATELIER_TRY(runtime.StepBytes(text.size()));
  return runtime.heap().NewText(function(text));
}

Result<Value> UpperFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  return OnText(runtime, self, Upper);
}

Result<Value> LowerFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  return OnText(runtime, self, Lower);
}

Result<Value> CapitalizeFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  return OnText(runtime, self, Capitalize);
}

// Words begin after white space and after "-([{<"; their first code point becomes upper case, the rest lower case.
Result<Value> TitleFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  return OnText(runtime, self, [](std::string_view text) {
    std::string out;
    bool begins = true;
    for (size_t at = 0; at < text.size();) {
      const CodePoint point = DecodeAt(text, at);
      const std::string_view character = text.substr(at, point.bytes);
      out += begins ? Upper(character) : Lower(character);
      begins = IsSpace(point.value) || (point.value < 0x80 && std::string_view("-([{<").find(text[at]) != text.npos);
      at += point.bytes;
    }
    return out;
  });
}

Result<Value> TrimFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  if (IsAbsent(args.positional[0])) {
    return OnText(runtime, self, [](std::string_view text) { return std::string(StripSpace(text, Ends::kBoth)); });
  }
  ATELIER_ASSIGN(characters, TextArgument(args, 0));
  ATELIER_TRY(runtime.Step(characters.size() / 4));
  return OnText(runtime, self,
                [&](std::string_view text) { return std::string(StripCharacters(text, characters, Ends::kBoth)); });
}

Result<Value> ReplaceFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(text, Str(runtime, self));
  ATELIER_ASSIGN(old_text, Str(runtime, args.positional[0]));
  ATELIER_ASSIGN(new_text, Str(runtime, args.positional[1]));
  ATELIER_ASSIGN(count, IntArgument(args, 2, -1));
  TextBuilder out(runtime);
  ATELIER_TRY(ReplaceAll(out, text, {old_text, new_text}, count));
  return out.Finish();
}

Result<Value> IndentFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  if (!self.is_text()) {
    return self.is_undefined() ? UndefinedError(self) : TemplateError("indent needs a string");
  }
  std::string indent(args.positional[0].text());
  if (!args.positional[0].is_text()) {
    ATELIER_ASSIGN(width, SizeArgument(args, 0, 4));
    TextBuilder spaces(runtime);
    ATELIER_TRY(spaces.AddRepeated(" ", width));
    indent = spaces.Take();
  }
  const bool blank = FlagArgument(args, 2);
  ATELIER_TRY(runtime.StepBytes(self.text().size()));
  const std::string text = std::string(self.text()) + "\n";  // so that a last empty line counts
  const auto lines = SplitLines(text, false);
  ATELIER_TRY(runtime.Step(lines.size()));
  TextBuilder out(runtime);
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool indented = i == 0 ? FlagArgument(args, 1) : blank || !lines[i].empty();
    ATELIER_TRY(out.Add(i == 0 ? "" : "\n"));
    ATELIER_TRY(out.Add(indented ? std::string_view(indent) : std::string_view()));
    ATELIER_TRY(out.Add(lines[i]));
  }
  return out.Finish();
}

Result<Value> StringFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  if (self.is_text()) {
    return self;
  }
  return OnText(runtime, self, [](const std::string& text) { return text; });
}

Result<Value> SafeFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_ASSIGN(text, Str(runtime, self));
  return runtime.heap().NewText(std::move(text), true);
}

Result<Value> ForceEscapeFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_ASSIGN(text, Str(runtime, self));
  TextBuilder out(runtime);
  ATELIER_TRY(AppendEscaped(out, text));
  return out.Finish(true);
}

Result<Value> EscapeFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  return self.markup() ? Result<Value>(self) : ForceEscapeFilter(runtime, self, args);
}

Result<Value> WordCountFilter(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_ASSIGN(text, Str(runtime, self));
  ATELIER_TRY(runtime.StepBytes(text.size()));
  size_t words = 0;
  bool inside = false;
  for (const char c : text) {
    // Beyond ASCII all counts as part of words.
    const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                      static_cast<unsigned char>(c) >= 0x80;
    words += word && !inside ? 1 : 0;
    inside = word;
  }
  return Value::Size(words);
}

Result<Value> CenterFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(text, Str(runtime, self));
  ATELIER_ASSIGN(width, SizeArgument(args, 0, 80));
  const size_t length = CountCodePoints(text);
  const size_t padding = width > length ? width - length : 0;
  const size_t left = padding / 2 + (padding & width & 1U);
  TextBuilder out(runtime);
  ATELIER_TRY(out.AddRepeated(" ", left));
  ATELIER_TRY(out.Add(text));
  ATELIER_TRY(out.AddRepeated(" ", padding - left));
  return out.Finish();
}

Result<Value> TruncateFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(text, Str(runtime, self));
  ATELIER_ASSIGN(length, SizeArgument(args, 0, 255));
  ATELIER_ASSIGN(leeway, SizeArgument(args, 3, 5));
  const std::string_view end = args.positional[2].is_text() ? args.positional[2].text() : std::string_view("...");
  const size_t end_length = CountCodePoints(end);
  ATELIER_TRY(runtime.StepBytes(text.size()));
  const size_t size = CountCodePoints(text);
  if (size <= length + leeway) {
    return runtime.heap().NewText(std::move(text));
  }
  if (length < end_length) {
    return TemplateError("truncate needs a length that its end fits into");
  }
  size_t cut = 0;
  for (size_t i = 0; i < length - end_length; ++i) {
    cut += DecodeAt(text, cut).bytes;
  }
  text.resize(cut);
  if (const size_t space = text.rfind(' '); !FlagArgument(args, 1) && space != std::string::npos) {
    text.resize(space);
  }
  return runtime.heap().NewText(text + std::string(end));
}

Result<Value> FormatFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(format, Str(runtime, self));
  if (args.named.empty()) {
    const Value values = runtime.heap().NewList(args.positional, Shape::kTuple);
    return PercentFormat(runtime, format, values);
  }
  Dict* values = runtime.heap().NewDict();
  for (const auto& [name, value] : args.named) {
    values->Set(Value::Constant(name), value);
  }
  return PercentFormat(runtime, format, Value(values));
}

// As Hugging Face's tokenizers define it: json.dumps without escapes of non-ASCII characters or of HTML.
Result<Value> ToJsonFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  JsonStyle style;
  style.ensure_ascii = FlagArgument(args, 0);
  style.sort_keys = FlagArgument(args, 3);
  const Value& indent = args.positional[1];
  if (indent.is_text()) {
    style.indent = std::string(indent.text());
  } else if (!IsAbsent(indent)) {
    ATELIER_ASSIGN(width, SizeArgument(args, 1, 0));
    style.indent = std::string(std::min<size_t>(width, 64), ' ');
  }
  if (style.indent) {
    style.item_separator = ",";
  }
  if (const List* separators = args.positional[2].list(); separators != nullptr && separators->items.size() == 2) {
    style.item_separator = std::string(separators->items[0].text());
    style.key_separator = std::string(separators->items[1].text());
  }
  TextBuilder out(runtime);
  ATELIER_TRY(AppendJson(out, self, style));
  return out.Finish();
}

constexpr Native kTable[] = {
    {"capitalize", CapitalizeFilter},
    {"center", CenterFilter, 0, {"width"}},
    {"e", EscapeFilter},
    {"escape", EscapeFilter},
    {"forceescape", ForceEscapeFilter},
    {"format", FormatFilter, 0, {}, true},
    {"indent", IndentFilter, 0, {"width", "first", "blank"}},
    {"lower", LowerFilter},
    {"replace", ReplaceFilter, 2, {"old", "new", "count"}},
    {"safe", SafeFilter},
    {"string", StringFilter},
    {"title", TitleFilter},
    {"tojson", ToJsonFilter, 0, {"ensure_ascii", "indent", "separators", "sort_keys"}},
    {"trim", TrimFilter, 0, {"chars"}},
    {"truncate", TruncateFilter, 0, {"length", "killwords", "end", "leeway"}},
    {"upper", UpperFilter},
    {"wordcount", WordCountFilter},
};

}  // namespace

std::span<const Native> TextFilters() { return kTable; }

}  // namespace atelier::text::jinja

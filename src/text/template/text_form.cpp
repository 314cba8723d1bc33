#include "text/template/text_form.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "text/template/unicode.h"

namespace atelier::text::jinja {
namespace {

std::string HexEscape(char32_t value) {
  std::array<char, 16> out{};
  const char* format = value < 0x100 ? "\\x%02x" : value < 0x10000 ? "\\u%04x" : "\\U%08x";
  const int size = std::snprintf(out.data(), out.size(), format, static_cast<unsigned>(value));
  return {out.data(), static_cast<size_t>(size)};
}

// repr() of a string: single quotes, unless it holds such and no double ones.
Status AppendQuoted(TextBuilder& out, std::string_view text) {
  const bool swap = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = swap ? '"' : '\'';
  std::string quoted(1, quote);
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeAt(text, at);
    const char c = text[at];
    if (c == '\n' || c == '\r' || c == '\t') {
      quoted += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (c == '\\' || c == quote) {
      quoted.push_back('\\');
      quoted.push_back(c);
    } else if (IsPrintable(point.value)) {
      AppendUtf8(quoted, point.value);
    } else {
      quoted += HexEscape(point.value);
    }
    at += point.bytes;
  }
  quoted.push_back(quote);
  return out.Add(quoted);
}

std::string RangeText(const List& range) {
  const auto number = [&](size_t i) { return range.items[i].AsInt().value_or(0); };
  if (range.items.empty()) {
    return "range(0, 0)";
  }
  const Int step = range.items.size() > 1 ? number(1) - number(0) : 1;
  const std::string text = "range(" + IntText(number(0)) + ", " + IntText(number(range.items.size() - 1) + step);
  return text + (step == 1 ? ")" : ", " + IntText(step) + ")");
}

Status AppendItems(TextBuilder& out, const List& list) {
  for (size_t i = 0; i < list.items.size(); ++i) {
    ATELIER_TRY(out.Add(i == 0 ? "" : ", "));
    ATELIER_TRY(AppendRepr(out, list.items[i]));
  }
  return {};
}

Status AppendList(TextBuilder& out, const List& list) {
  switch (list.shape) {
    case Shape::kRange:
      return out.Add(RangeText(list));
    case Shape::kIterator:
      return out.Add("<generator object>");
    case Shape::kTuple:
      ATELIER_TRY(out.Add("("));
      ATELIER_TRY(AppendItems(out, list));
      return out.Add(list.items.size() == 1 ? ",)" : ")");
    case Shape::kList:
      ATELIER_TRY(out.Add("["));
      ATELIER_TRY(AppendItems(out, list));
      return out.Add("]");
    default:
      break;
  }
  ATELIER_TRY(out.Add(list.shape == Shape::kKeys     ? "dict_keys(["
                      : list.shape == Shape::kValues ? "dict_values(["
                                                     : "dict_items(["));
  ATELIER_TRY(AppendItems(out, list));
  return out.Add("])");
}

Status AppendDict(TextBuilder& out, const Dict& dict) {
  ATELIER_TRY(out.Add("{"));
  for (size_t i = 0; i < dict.entries().size(); ++i) {
    ATELIER_TRY(out.Add(i == 0 ? "" : ", "));
    ATELIER_TRY(AppendRepr(out, dict.entries()[i].first));
    ATELIER_TRY(out.Add(": "));
    ATELIER_TRY(AppendRepr(out, dict.entries()[i].second));
  }
  return out.Add("}");
}

}  // namespace

std::string IntText(Int number) {
  std::string digits;
  // Digits of negative numbers are negative: the smallest number has no positive twin.
  for (Int rest = number; rest != 0; rest /= 10) {
    const int digit = static_cast<int>(rest % 10);
    digits.push_back(static_cast<char>('0' + (digit < 0 ? -digit : digit)));
  }
  if (digits.empty()) {
    return "0";
  }
  if (number < 0) {
    digits.push_back('-');
  }
  std::ranges::reverse(digits);
  return digits;
}

std::string FloatText(double number) {
  if (std::isnan(number)) {
    return "nan";
  }
  if (std::isinf(number)) {
    return number < 0 ? "-inf" : "inf";
  }
  std::array<char, 40> buffer{};
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
  std::string text(buffer.data(), written.ptr);
  const std::string sign = text.front() == '-' ? "-" : "";
  text.erase(0, sign.size());
  const size_t mark = text.find('e');
  int exponent = 0;
  const char* digits_of_exponent = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, text.data() + text.size(), exponent);
  std::string digits = text.substr(0, mark);
  std::erase(digits, '.');
  if (exponent < -4 || exponent >= 16) {
    return sign + text;  // to_chars writes two digits of the exponent at least, as Python does
  }
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  }
  const size_t before = static_cast<size_t>(exponent) + 1;
  if (digits.size() <= before) {
    return sign + digits + std::string(before - digits.size(), '0') + ".0";
  }
  return sign + digits.substr(0, before) + "." + digits.substr(before);
}

Status AppendStr(TextBuilder& out, const Value& value) {
  if (value.is_text()) {
    return out.Add(value.text());
  }
  if (value.is_undefined()) {
    return {};
  }
  return AppendRepr(out, value);
}

Status AppendRepr(TextBuilder& out, const Value& value) {
  const DepthGuard guard(out.runtime());
  ATELIER_TRY(guard.status());
  ATELIER_TRY(out.runtime().Step());
  if (value.is_text()) {
    return AppendQuoted(out, value.text());
  }
  if (value.is_bool()) {
    return out.Add(value.boolean() ? "True" : "False");
  }
  if (value.is_float()) {
    return out.Add(FloatText(value.AsDouble()));
  }
  if (const auto number = value.AsInt()) {
    return out.Add(IntText(*number));
  }
  if (const List* list = value.list()) {
    return AppendList(out, *list);
  }
  if (const Dict* dict = value.dict()) {
    return AppendDict(out, *dict);
  }
  if (const Object* object = value.object()) {
    return out.Add("<" + std::string(object->type_name()) + ">");
  }
  return out.Add(value.is_none() ? "None" : "Undefined");
}

Result<std::string> Str(Runtime& runtime, const Value& value) {
  TextBuilder out(runtime);
  ATELIER_TRY(AppendStr(out, value));
  return out.Take();
}

Status AppendEscaped(TextBuilder& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        ATELIER_TRY(out.Add("&amp;"));
        break;
      case '<':
        ATELIER_TRY(out.Add("&lt;"));
        break;
      case '>':
        ATELIER_TRY(out.Add("&gt;"));
        break;
      case '\'':
        ATELIER_TRY(out.Add("&#39;"));
        break;
      case '"':
        ATELIER_TRY(out.Add("&#34;"));
        break;
      default:
        ATELIER_TRY(out.Add({&c, 1}));
    }
  }
  return out.runtime().Step(text.size() / 16);
}

}  // namespace atelier::text::jinja

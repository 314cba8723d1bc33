#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "text/template/text_form.h"
#include "text/template/unicode.h"

namespace atelier::text::jinja {
namespace {

void AppendUnit(std::string& out, unsigned unit) {
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "\\u%04x", unit & 0xFFFFU);
  out += buffer.data();
}

std::string JsonString(std::string_view text, bool ensure_ascii) {
  constexpr std::string_view kSpecial = "\"\\\n\r\t\f\b";
  constexpr std::string_view kLetters = "\"\\nrtfb";
  std::string out = "\"";
  out.reserve(text.size() + 2);
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeAt(text, at);
    if (const size_t special = kSpecial.find(text[at]); special != std::string_view::npos) {
      out.push_back('\\');
      out.push_back(kLetters[special]);
    } else if (point.value < 0x20) {
      AppendUnit(out, point.value);
    } else if (point.value < 0x80 || !ensure_ascii) {
      point.value == 0x7F && ensure_ascii ? AppendUnit(out, 0x7F) : AppendUtf8(out, point.value);
    } else if (point.value < 0x10000) {
      AppendUnit(out, point.value);
    } else {
      AppendUnit(out, 0xD800U + ((point.value - 0x10000U) >> 10U));
      AppendUnit(out, 0xDC00U + ((point.value - 0x10000U) & 0x3FFU));
    }
    at += point.bytes;
  }
  out.push_back('"');
  return out;
}

std::string JsonFloat(double number) {
  if (std::isnan(number)) {
    return "NaN";
  }
  if (std::isinf(number)) {
    return number < 0 ? "-Infinity" : "Infinity";
  }
  return FloatText(number);
}

// None, bool, int and float; empty for others.
std::string JsonScalar(const Value& value) {
  if (value.is_none()) {
    return "null";
  }
  if (value.is_bool()) {
    return value.boolean() ? "true" : "false";
  }
  if (const auto number = value.AsInt()) {
    return IntText(*number);
  }
  return value.is_float() ? JsonFloat(value.AsDouble()) : "";
}

class JsonWriter {
 public:
  JsonWriter(TextBuilder& out, const JsonStyle& style) : out_(out), style_(style) {}

  Status Write(const Value& value) {
    const DepthGuard guard(out_.runtime());
    ATELIER_TRY(guard.status());
    ATELIER_TRY(out_.runtime().Step());
    if (value.is_text()) {
      return out_.Add(JsonString(value.text(), style_.ensure_ascii));
    }
    if (const std::string scalar = JsonScalar(value); !scalar.empty()) {
      return out_.Add(scalar);
    }
    if (const Dict* dict = value.dict()) {
      return WriteDict(*dict);
    }
    if (const List* list = value.list();
        list != nullptr && (list->shape == Shape::kList || list->shape == Shape::kTuple)) {
      return WriteList(*list);
    }
    return TemplateError("Object of type " + std::string(TypeName(value)) + " is not JSON serializable");
  }

 private:
  Status Break(bool first) {
    if (!first) {
      ATELIER_TRY(out_.Add(style_.item_separator));
    }
    return style_.indent ? NewLine() : Status();
  }
  Status NewLine() {
    ATELIER_TRY(out_.Add("\n"));
    return out_.AddRepeated(*style_.indent, depth_);
  }
  Status Close(bool empty, std::string_view bracket) {
    --depth_;
    if (style_.indent && !empty) {
      ATELIER_TRY(NewLine());
    }
    return out_.Add(bracket);
  }
  Status WriteList(const List& list) {
    ATELIER_TRY(out_.Add("["));
    ++depth_;
    for (size_t i = 0; i < list.items.size(); ++i) {
      ATELIER_TRY(Break(i == 0));
      ATELIER_TRY(Write(list.items[i]));
    }
    return Close(list.items.empty(), "]");
  }
  Status WriteDict(const Dict& dict) {
    std::vector<Dict::Entry> entries = dict.entries();
    if (style_.sort_keys) {
      std::ranges::stable_sort(entries, KeyLess(), &Dict::Entry::first);
    }
    ATELIER_TRY(out_.Add("{"));
    ++depth_;
    for (size_t i = 0; i < entries.size(); ++i) {
      const Value& key = entries[i].first;
      ATELIER_TRY(Break(i == 0));
      ATELIER_TRY(out_.Add(JsonString(key.is_text() ? key.text() : JsonScalar(key), style_.ensure_ascii)));
      ATELIER_TRY(out_.Add(style_.key_separator));
      ATELIER_TRY(Write(entries[i].second));
    }
    return Close(entries.empty(), "}");
  }

  TextBuilder& out_;
  const JsonStyle& style_;
  size_t depth_ = 0;
};

}  // namespace

Status AppendJson(TextBuilder& out, const Value& value, const JsonStyle& style) {
  return JsonWriter(out, style).Write(value);
}

}  // namespace atelier::text::jinja

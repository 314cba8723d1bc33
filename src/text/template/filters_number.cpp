// Filters of numbers, and `default`.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "text/template/literals.h"
#include "text/template/native_support.h"

namespace atelier::text::jinja {
namespace {

// int(text, base) of Python; nullopt where that raises.
std::optional<Int> IntOfText(std::string_view given, int base) {
  std::string_view text = StripSpace(given, Ends::kBoth);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const char mark = base == 16 ? 'x' : base == 8 ? 'o' : base == 2 ? 'b' : '\0';
  if (mark != '\0' && text.size() > 2 && text[0] == '0' && (text[1] | 0x20) == mark) {
    text.remove_prefix(2);
  }
  Int value = 0;
  char last = '_';
  for (const char c : text) {
    const int lower = c | 0x20;
    const int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
    if (c == '_' && last != '_') {
      last = c;
      continue;
    }
    if (digit >= base || __builtin_mul_overflow(value, static_cast<Int>(base), &value) ||
        __builtin_add_overflow(value, static_cast<Int>(digit), &value)) {
      return std::nullopt;
    }
    last = c;
  }
  return last == '_' ? std::nullopt : std::optional(negative ? -value : value);
}

std::optional<Int> IntOfFloat(double number) {
  return std::fabs(number) < 1e38 ? std::optional(static_cast<Int>(number)) : std::nullopt;
}

Result<Value> IntFilter(Runtime& /*runtime*/, const Value& self, const CallArgs& args) {
  if (self.is_undefined()) {
    return UndefinedError(self);
  }
  ATELIER_ASSIGN(base, IntArgument(args, 1, 10));
  std::optional<Int> number = self.AsInt();
  if (self.is_float()) {
    number = IntOfFloat(self.AsDouble());
  } else if (self.is_text() && base >= 2 && base <= 36) {
    number = IntOfText(self.text(), static_cast<int>(base));
    if (!number) {
      auto as_float = ParseFloat(StripSpace(self.text(), Ends::kBoth));
      number = as_float.ok() ? IntOfFloat(*as_float) : std::nullopt;
    }
  }
  if (number) {
    return Value(*number);
  }
  return args.positional[0].is_undefined() ? Value(Int{0}) : args.positional[0];
}

Result<Value> FloatFilter(Runtime& /*runtime*/, const Value& self, const CallArgs& args) {
  if (self.is_undefined()) {
    return UndefinedError(self);
  }
  if (self.is_number()) {
    return Value(self.AsDouble());
  }
  if (self.is_text()) {
    if (auto number = ParseFloat(StripSpace(self.text(), Ends::kBoth)); number.ok()) {
      return Value(*number);
    }
  }
  return args.positional[0].is_undefined() ? Value(0.0) : args.positional[0];
}

Result<Value> AbsFilter(Runtime& /*runtime*/, const Value& self, const CallArgs& /*args*/) {
  if (!self.is_number()) {
    return self.is_undefined() ? UndefinedError(self) : TemplateError("abs needs a number");
  }
  return Negate(self, self.AsDouble() < 0);
}

// Half to even on the exact value, as Python rounds: printf does the same.
double RoundHalfEven(double number, int digits) {
  if (digits >= 0) {
    std::array<char, 800> buffer{};
    const int size = std::snprintf(buffer.data(), buffer.size(), "%.*f", std::min(digits, 300), number);
    auto parsed = ParseFloat({buffer.data(), static_cast<size_t>(std::max(size, 0))});
    return parsed.ok() ? *parsed : number;
  }
  const double scale = std::pow(10.0, std::min(-digits, 300));
  return std::nearbyint(number / scale) * scale;
}

Result<Value> RoundFilter(Runtime& /*runtime*/, const Value& self, const CallArgs& args) {
  if (!self.is_number()) {
    return self.is_undefined() ? UndefinedError(self) : TemplateError("round needs a number");
  }
  ATELIER_ASSIGN(given, IntArgument(args, 0, 0));
  const int digits = static_cast<int>(std::clamp<Int>(given, -300, 300));
  const std::string_view method = args.positional[1].is_text() ? args.positional[1].text() : "common";
  if (method != "common" && method != "ceil" && method != "floor") {
    return TemplateError("the method of round must be common, ceil or floor");
  }
  const double number = self.AsDouble();
  if (method == "common") {
    const bool whole = !self.is_float() && digits >= 0;
    if (!std::isfinite(number) || whole) {
      return whole ? Value(self.AsInt().value_or(0)) : self;
    }
    const double rounded = RoundHalfEven(number, digits);
    if (!self.is_float() && std::fabs(rounded) > 1e38) {
      return TemplateError("a number is too large to round");
    }
    return self.is_float() ? Value(rounded) : Value(static_cast<Int>(rounded));
  }
  const double scale = std::pow(10.0, digits);
  return Value((method == "ceil" ? std::ceil(number * scale) : std::floor(number * scale)) / scale);
}

Result<Value> DefaultFilter(Runtime& /*runtime*/, const Value& self, const CallArgs& args) {
  const bool replaced = self.is_undefined() || (FlagArgument(args, 1) && !Truth(self));
  if (!replaced) {
    return self;
  }
  return args.positional[0].is_undefined() ? Value::Constant("") : args.positional[0];
}

constexpr Native kTable[] = {
    {"abs", AbsFilter},
    {"d", DefaultFilter, 0, {"default_value", "boolean"}},
    {"default", DefaultFilter, 0, {"default_value", "boolean"}},
    {"float", FloatFilter, 0, {"default"}},
    {"int", IntFilter, 0, {"default", "base"}},
    {"round", RoundFilter, 0, {"precision", "method"}},
};

}  // namespace

std::span<const Native> NumberFilters() { return kTable; }

}  // namespace atelier::text::jinja

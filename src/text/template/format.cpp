#include "text/template/format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "text/template/operations.h"
#include "text/template/text_form.h"
#include "text/template/unicode.h"

namespace atelier::text::jinja {
namespace {

constexpr int kMaxPrecision = 300;

struct Spec {
  std::string fill = " ";
  char align = '\0';  // '<', '>', '^', '='
  char sign = '-';
  bool alternate = false;
  bool grouped = false;
  size_t width = 0;
  int precision = -1;
  char type = '\0';
};

// Decimal digits at `at`; steps over them. Errors: more than seven.
Result<size_t> ScanSize(std::string_view text, size_t& at) {
  size_t value = 0;
  for (int digits = 0; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
    if (++digits > 7) {
      return TemplateError("a width or precision in a format string is too large");
    }
    value = value * 10 + static_cast<size_t>(text[at] - '0');
  }
  return value;
}

Result<int> ScanPrecision(std::string_view text, size_t& at) {
  ATELIER_ASSIGN(precision, ScanSize(text, at));
  if (precision > kMaxPrecision) {
    return TemplateError("a precision in a format string is too large");
  }
  return static_cast<int>(precision);
}

std::string Grouped(const std::string& number) {
  const size_t end = std::min(number.find_first_not_of("0123456789"), number.size());
  std::string out;
  for (size_t i = 0; i < end; ++i) {
    if (i > 0 && (end - i) % 3 == 0) {
      out.push_back(',');
    }
    out.push_back(number[i]);
  }
  return out + number.substr(end);
}

std::string IntDigits(Int magnitude, int base, bool upper) {
  std::string out;
  do {
    out.push_back((upper ? "0123456789ABCDEF" : "0123456789abcdef")[static_cast<size_t>(magnitude % base)]);
    magnitude /= base;
  } while (magnitude > 0);
  std::ranges::reverse(out);
  return out;
}

std::string FloatDigits(double magnitude, const Spec& spec) {
  if (spec.type == '\0' && spec.precision < 0) {
    return FloatText(magnitude);
  }
  char type = spec.type == '\0' ? 'g' : spec.type;
  double value = magnitude;
  if (type == '%') {
    type = 'f';
    value *= 100;
  }
  const std::string format = std::string(spec.alternate ? "%#.*" : "%.*") + type;
  std::array<char, 800> buffer{};
  const int size =
      std::snprintf(buffer.data(), buffer.size(), format.c_str(), spec.precision < 0 ? 6 : spec.precision, value);
  return std::string(buffer.data(), std::min<size_t>(static_cast<size_t>(std::max(size, 0)), buffer.size() - 1)) +
         (spec.type == '%' ? "%" : "");
}

Error UnknownType(const Spec& spec, const Value& value) {
  return TemplateError(std::string("unknown format code '") + spec.type + "' for object of type '" +
                       std::string(TypeName(value)) + "'");
}

struct Formatted {
  std::string sign;
  std::string digits;
};

Result<Formatted> FormatNumber(const Spec& spec, const Value& value) {
  constexpr std::string_view kFloatTypes = "eEfFgG%";
  const bool as_float =
      value.is_float() || (spec.type != '\0' && kFloatTypes.find(spec.type) != std::string_view::npos);
  Formatted out;
  bool negative = false;
  if (as_float) {
    if (spec.type != '\0' && kFloatTypes.find(spec.type) == std::string_view::npos) {
      return UnknownType(spec, value);
    }
    negative = std::signbit(value.AsDouble()) && !std::isnan(value.AsDouble());
    out.digits = FloatDigits(std::fabs(value.AsDouble()), spec);
  } else {
    const Int number = value.AsInt().value_or(0);
    Int magnitude = number;
    negative = number < 0;
    if (negative && __builtin_sub_overflow(Int{0}, number, &magnitude)) {
      return TemplateError("a number is too large to format");
    }
    const char lower = static_cast<char>(spec.type | 0x20);
    const int base = lower == 'x' ? 16 : spec.type == 'o' ? 8 : spec.type == 'b' ? 2 : 10;
    if (base == 10 && spec.type != '\0' && spec.type != 'd' && spec.type != 'n') {
      return UnknownType(spec, value);
    }
    out.digits = IntDigits(magnitude, base, spec.type == 'X');
    if (spec.alternate && base != 10) {
      out.sign = std::string("0") + spec.type;
    }
  }
  if (spec.grouped) {
    out.digits = Grouped(out.digits);
  }
  const std::string sign = negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
  out.sign = sign + out.sign;
  return out;
}

Status AddPadded(TextBuilder& out, const Spec& spec, const Formatted& value, char default_align) {
  const size_t length = CountCodePoints(value.digits) + value.sign.size();
  const size_t padding = spec.width > length ? spec.width - length : 0;
  const char align = spec.align == '\0' ? default_align : spec.align;
  const size_t before = align == '>' ? padding : align == '^' ? padding / 2 : 0;
  ATELIER_TRY(out.AddRepeated(spec.fill, before));
  ATELIER_TRY(out.Add(value.sign));
  ATELIER_TRY(out.AddRepeated(spec.fill, align == '=' ? padding : 0));
  ATELIER_TRY(out.Add(value.digits));
  return out.AddRepeated(spec.fill, align == '<' || align == '^' ? padding - before : 0);
}

std::string_view FirstCodePoints(std::string_view text, size_t count) {
  size_t at = 0;
  for (; count > 0 && at < text.size(); --count) {
    at += DecodeAt(text, at).bytes;
  }
  return text.substr(0, at);
}

Status AddText(TextBuilder& out, const Spec& spec, std::string_view text, char default_align) {
  const auto shown = spec.precision < 0 ? text : FirstCodePoints(text, static_cast<size_t>(spec.precision));
  return AddPadded(out, spec, {"", std::string(shown)}, default_align);
}

// ---- '%' ----

class PercentFormatter {
 public:
  PercentFormatter(TextBuilder& out, std::string_view format, const Value& values)
      : out_(out), format_(format), values_(values) {
    const List* list = values.list();
    tuple_ = list != nullptr && list->shape == Shape::kTuple ? list : nullptr;
  }

  Status Run() {
    while (at_ < format_.size()) {
      const size_t mark = std::min(format_.find('%', at_), format_.size());
      ATELIER_TRY(out_.Add(format_.substr(at_, mark - at_)));
      at_ = mark;
      if (at_ < format_.size()) {
        ++at_;
        ATELIER_TRY(Conversion());
      }
    }
    if ((tuple_ != nullptr && next_ < tuple_->items.size()) ||
        (tuple_ == nullptr && next_ == 0 && values_.dict() == nullptr && values_.list() == nullptr)) {
      return TemplateError("not all arguments converted during string formatting");
    }
    return {};
  }

 private:
  Result<Value> NextValue() {
    if (tuple_ != nullptr) {
      return next_ < tuple_->items.size() ? Result<Value>(tuple_->items[next_++])
                                          : TemplateError("not enough arguments for format string");
    }
    return next_++ == 0 ? Result<Value>(values_) : TemplateError("not enough arguments for format string");
  }

  Result<Value> Named() {
    const size_t end = format_.find(')', at_);
    if (end == std::string_view::npos || values_.dict() == nullptr) {
      return TemplateError("format requires a mapping");
    }
    const Value* found = values_.dict()->Find(format_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return found == nullptr ? TemplateError("a key that a format string names is missing") : Result<Value>(*found);
  }

  Result<Spec> ParseSpec() {
    Spec spec;
    bool zero = false;
    for (; at_ < format_.size() && std::string_view("-+ #0").find(format_[at_]) != std::string_view::npos; ++at_) {
      const char flag = format_[at_];
      spec.align = flag == '-' ? '<' : spec.align;
      spec.sign = flag == '+' || (flag == ' ' && spec.sign == '-') ? flag : spec.sign;
      spec.alternate |= flag == '#';
      zero |= flag == '0';
    }
    ATELIER_ASSIGN(width, ScanSize(format_, at_));
    spec.width = width;
    if (at_ < format_.size() && format_[at_] == '.') {
      ++at_;
      ATELIER_ASSIGN(precision, ScanPrecision(format_, at_));
      spec.precision = precision;
    }
    if (at_ >= format_.size()) {
      return TemplateError("incomplete format");
    }
    spec.type = format_[at_++];
    if (zero && spec.align == '\0' && std::string_view("srac").find(spec.type) == std::string_view::npos) {
      spec.fill = "0";
      spec.align = '=';
    }
    return spec;
  }

  Status Conversion() {
    if (at_ < format_.size() && format_[at_] == '%') {
      ++at_;
      return out_.Add("%");
    }
    std::optional<Value> value;
    if (at_ < format_.size() && format_[at_] == '(') {
      ATELIER_ASSIGN(named, Named());
      next_ = 1;
      value = named;
    }
    ATELIER_ASSIGN(spec, ParseSpec());
    if (!value) {
      ATELIER_ASSIGN(next, NextValue());
      value = next;
    }
    return Convert(spec, *value);
  }

  Status Convert(Spec spec, const Value& value) {
    if (spec.type == 's' || spec.type == 'r' || spec.type == 'a') {
      TextBuilder text(out_.runtime());
      ATELIER_TRY(spec.type == 's' ? AppendStr(text, value) : AppendRepr(text, value));
      return AddText(out_, spec, text.text(), '>');
    }
    if (spec.type == 'c' && value.is_text()) {
      return AddText(out_, spec, value.text(), '>');
    }
    if (!value.is_number()) {
      return TemplateError(std::string("%") + spec.type + " format: a number is required, not " +
                           std::string(TypeName(value)));
    }
    Value number = value;
    if (spec.type == 'd' || spec.type == 'i' || spec.type == 'u') {
      spec.type = 'd';
      if (value.is_float()) {
        if (!(std::fabs(value.AsDouble()) < 1e37)) {
          return TemplateError("a number is too large to format");
        }
        number = Value(static_cast<Int>(value.AsDouble()));
      }
    }
    ATELIER_ASSIGN(formatted, FormatNumber(spec, number));
    return AddPadded(out_, spec, formatted, '>');
  }

  TextBuilder& out_;
  std::string_view format_;
  const Value& values_;
  const List* tuple_ = nullptr;
  size_t at_ = 0;
  size_t next_ = 0;
};

}  // namespace

Result<Value> PercentFormat(Runtime& runtime, std::string_view format, const Value& values) {
  ATELIER_TRY(runtime.Step(format.size() / 8));
  TextBuilder out(runtime);
  ATELIER_TRY(PercentFormatter(out, format, values).Run());
  return out.Finish();
}

// ---- str.format ----

namespace {

bool IsAlign(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

Result<Spec> ParseBraceSpec(std::string_view text) {
  Spec spec;
  size_t at = 0;
  if (!text.empty()) {
    const size_t first = DecodeAt(text, 0).bytes;
    if (first < text.size() && IsAlign(text[first])) {
      spec.fill = std::string(text.substr(0, first));
      spec.align = text[first];
      at = first + 1;
    } else if (IsAlign(text[0])) {
      spec.align = text[0];
      at = 1;
    }
  }
  const auto skip = [&](std::string_view any) {
    return at < text.size() && any.find(text[at]) != std::string_view::npos ? text[at++] : '\0';
  };
  if (const char sign = skip("+- "); sign != '\0') {
    spec.sign = sign;
  }
  spec.alternate = skip("#") != '\0';
  if (skip("0") != '\0' && spec.align == '\0') {
    spec.fill = "0";
    spec.align = '=';
  }
  ATELIER_ASSIGN(width, ScanSize(text, at));
  spec.width = width;
  spec.grouped = skip(",") != '\0';
  if (skip(".") != '\0') {
    ATELIER_ASSIGN(precision, ScanPrecision(text, at));
    spec.precision = precision;
  }
  spec.type = at < text.size() ? text[at++] : '\0';
  if (at != text.size()) {
    return TemplateError("invalid format specifier");
  }
  return spec;
}

class BraceFormatter {
 public:
  BraceFormatter(TextBuilder& out, std::string_view format, const CallArgs& args)
      : out_(out), format_(format), args_(args) {}

  Status Run() {
    for (size_t at = 0; at < format_.size();) {
      const size_t brace = std::min(format_.find_first_of("{}", at), format_.size());
      ATELIER_TRY(out_.Add(format_.substr(at, brace - at)));
      at = brace;
      if (at >= format_.size()) {
        break;
      }
      if (at + 1 < format_.size() && format_[at + 1] == format_[at]) {
        ATELIER_TRY(out_.Add(format_.substr(at, 1)));
        at += 2;
        continue;
      }
      const size_t end = format_.find('}', at);
      if (format_[at] == '}' || end == std::string_view::npos) {
        return TemplateError("a single brace in a format string");
      }
      ATELIER_TRY(Field(format_.substr(at + 1, end - at - 1)));
      at = end + 1;
    }
    return {};
  }

 private:
  Result<Value> Argument(std::string_view name) {
    const bool number = name.find_first_not_of("0123456789") == std::string_view::npos;
    if (number) {
      size_t at = 0;
      ATELIER_ASSIGN(given, ScanSize(name, at));
      const size_t index = name.empty() ? next_++ : given;
      return index < args_.positional.size() ? Result<Value>(args_.positional[index])
                                             : TemplateError("a format string has more fields than arguments");
    }
    const auto found = std::ranges::find(args_.named, name, &std::pair<std::string, Value>::first);
    return found != args_.named.end() ? Result<Value>(found->second)
                                      : TemplateError("a key that a format string names is missing");
  }

  Result<Value> Lookup(std::string_view path) {
    size_t at = std::min(path.find_first_of(".["), path.size());
    ATELIER_ASSIGN(value, Argument(path.substr(0, at)));
    while (at < path.size()) {
      const bool item = path[at] == '[';
      const size_t end = std::min(item ? path.find(']', at) : path.find_first_of(".[", at + 1), path.size());
      const std::string name(path.substr(at + 1, end - at - 1));
      const bool number = item && !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
      size_t zero = 0;
      ATELIER_ASSIGN(index, number ? ScanSize(name, zero) : Result<size_t>(0));
      auto next = GetItem(out_.runtime(), value, number ? Value::Size(index) : Value::Constant(name));
      ATELIER_ASSIGN(found, std::move(next));
      value = found;
      at = end + (item && end < path.size() ? 1 : 0);
    }
    return value;
  }

  Status Field(std::string_view field) {
    const size_t colon = std::min(field.find(':'), field.size());
    std::string_view path = field.substr(0, colon);
    const size_t bang = std::min(path.find('!'), path.size());
    const bool as_repr = path.substr(bang) == "!r";
    ATELIER_ASSIGN(value, Lookup(path.substr(0, bang)));
    ATELIER_ASSIGN(spec, ParseBraceSpec(colon < field.size() ? field.substr(colon + 1) : std::string_view()));
    const bool plain = value.is_bool() && (spec.type == '\0' || spec.type == 's');
    if (value.is_number() && !plain && bang == path.size()) {
      ATELIER_ASSIGN(formatted, FormatNumber(spec, value));
      return AddPadded(out_, spec, formatted, '>');
    }
    if (spec.type != '\0' && spec.type != 's') {
      return UnknownType(spec, value);
    }
    TextBuilder text(out_.runtime());
    ATELIER_TRY(as_repr ? AppendRepr(text, value) : AppendStr(text, value));
    return AddText(out_, spec, text.text(), '<');
  }

  TextBuilder& out_;
  std::string_view format_;
  const CallArgs& args_;
  size_t next_ = 0;
};

}  // namespace

Result<Value> BraceFormat(Runtime& runtime, std::string_view format, const CallArgs& args) {
  ATELIER_TRY(runtime.Step(format.size() / 8));
  TextBuilder out(runtime);
  ATELIER_TRY(BraceFormatter(out, format, args).Run());
  return out.Finish();
}

}  // namespace atelier::text::jinja

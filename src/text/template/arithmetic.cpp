#include <cmath>
#include <limits>

#include "text/template/format.h"
#include "text/template/operations.h"
#include "text/template/text_form.h"

namespace atelier::text::jinja {
namespace {

constexpr std::string_view SymbolOf(BinaryOperator operation) {
  constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "**", "~"};
  return kSymbols[static_cast<size_t>(operation)];
}

Error Overflow() { return TemplateError("the result of a calculation is too large"); }
Error DividedByZero() { return TemplateError("division by zero"); }

Result<Value> PowerOfInts(Int base, Int exponent) {
  if (exponent < 0) {
    if (base == 0) {
      return TemplateError("0.0 cannot be raised to a negative power");
    }
    return Value(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  Int result = 1;
  if (base == 0 || base == 1 || base == -1) {
    return Value(exponent == 0 ? Int{1} : base == -1 && exponent % 2 == 0 ? Int{1} : base);
  }
  for (; exponent > 0; --exponent) {  // at most 127 rounds: the base is 2 at least
    if (__builtin_mul_overflow(result, base, &result)) {
      return Overflow();
    }
  }
  return Value(result);
}

Result<Value> OfInts(BinaryOperator operation, Int a, Int b) {
  Int result = 0;
  bool overflow = false;
  switch (operation) {
    case BinaryOperator::kAdd:
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case BinaryOperator::kSubtract:
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case BinaryOperator::kMultiply:
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    case BinaryOperator::kPower:
      return PowerOfInts(a, b);
    default:
      if (b == 0) {
        return DividedByZero();
      }
      if (operation == BinaryOperator::kDivide) {
        return Value(static_cast<double>(a) / static_cast<double>(b));
      }
      if (b == -1) {  // apart: the smallest number has no positive twin
        overflow = operation == BinaryOperator::kFloorDivide && __builtin_sub_overflow(Int{0}, a, &result);
        break;
      }
      const bool uneven = a % b != 0 && (a < 0) != (b < 0);  // Python rounds down
      result = operation == BinaryOperator::kFloorDivide ? a / b - (uneven ? 1 : 0) : a % b + (uneven ? b : 0);
  }
  return overflow ? Result<Value>(Overflow()) : Value(result);
}

Result<Value> OfFloats(BinaryOperator operation, double a, double b) {
  switch (operation) {
    case BinaryOperator::kAdd:
      return Value(a + b);
    case BinaryOperator::kSubtract:
      return Value(a - b);
    case BinaryOperator::kMultiply:
      return Value(a * b);
    case BinaryOperator::kPower:
      if (a == 0 && b < 0) {
        return TemplateError("0.0 cannot be raised to a negative power");
      }
      return a < 0 && b != std::floor(b) ? Result<Value>(Overflow()) : Value(std::pow(a, b));
    default:
      break;
  }
  if (b == 0) {
    return DividedByZero();
  }
  if (operation == BinaryOperator::kDivide) {
    return Value(a / b);
  }
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) {
    rest += b;
  }
  return Value(operation == BinaryOperator::kModulo ? rest : std::floor((a - rest) / b + 0.5));
}

// Of which one is `safe`: the other one is escaped, as markupsafe does it.
Status AppendMarkup(TextBuilder& out, const Value& part) {
  return part.markup() ? out.Add(part.text()) : AppendEscaped(out, part.text());
}

Result<Value> AddTexts(Runtime& runtime, const Value& a, const Value& b) {
  TextBuilder out(runtime);
  if (!a.markup() && !b.markup()) {
    ATELIER_TRY(out.Add(a.text()));
    ATELIER_TRY(out.Add(b.text()));
    return out.Finish();
  }
  ATELIER_TRY(AppendMarkup(out, a));
  ATELIER_TRY(AppendMarkup(out, b));
  return out.Finish(true);
}

bool IsListOrTuple(const Value& value) {
  return value.list() != nullptr && (value.list()->shape == Shape::kList || value.list()->shape == Shape::kTuple);
}

Result<Value> AddLists(Runtime& runtime, const List& a, const List& b) {
  ATELIER_TRY(runtime.Step(a.items.size() + b.items.size()));
  std::vector<Value> items = a.items;
  items.insert(items.end(), b.items.begin(), b.items.end());
  return runtime.heap().NewList(std::move(items), a.shape);
}

Result<Value> Repeat(Runtime& runtime, const Value& sequence, Int times) {
  const Int count = times < 0 ? 0 : times;
  const size_t limit = std::numeric_limits<uint32_t>::max();
  if (sequence.is_text()) {
    TextBuilder out(runtime);
    ATELIER_TRY(out.AddRepeated(sequence.text(), static_cast<size_t>(count < limit ? count : limit)));
    return out.Finish(sequence.markup());
  }
  const List& list = *sequence.list();
  std::vector<Value> items;
  for (Int i = 0; i < count && !list.items.empty(); ++i) {
    ATELIER_TRY(runtime.Step(list.items.size()));
    if (items.size() > runtime.limits().max_memory_bytes / sizeof(Value)) {
      return Runtime::LimitError("a list has too many items");
    }
    items.insert(items.end(), list.items.begin(), list.items.end());
  }
  return runtime.heap().NewList(std::move(items), list.shape);
}

Error WrongOperands(BinaryOperator operation, const Value& a, const Value& b) {
  if (a.is_undefined() || b.is_undefined()) {
    return UndefinedError(a.is_undefined() ? a : b);
  }
  return TemplateError("unsupported operand types for " + std::string(SymbolOf(operation)) + ": '" +
                       std::string(TypeName(a)) + "' and '" + std::string(TypeName(b)) + "'");
}

}  // namespace

Error UndefinedError(const Value& value) {
  const Undefined* undefined = value.undefined();
  const bool named = undefined != nullptr && undefined->name != nullptr;
  return TemplateError((named ? "'" + *undefined->name + "'" : std::string("the value")) + " is undefined");
}

Result<Value> Apply(Runtime& runtime, BinaryOperator operation, const Value& a, const Value& b) {
  if (operation == BinaryOperator::kConcat) {
    TextBuilder out(runtime);
    ATELIER_TRY(AppendStr(out, a));
    ATELIER_TRY(AppendStr(out, b));
    return out.Finish();
  }
  if (a.is_number() && b.is_number()) {
    const auto int_a = a.AsInt();
    const auto int_b = b.AsInt();
    return int_a && int_b ? OfInts(operation, *int_a, *int_b) : OfFloats(operation, a.AsDouble(), b.AsDouble());
  }
  if (operation == BinaryOperator::kAdd) {
    if (a.is_text() && b.is_text()) {
      return AddTexts(runtime, a, b);
    }
    if (IsListOrTuple(a) && IsListOrTuple(b) && a.list()->shape == b.list()->shape) {
      return AddLists(runtime, *a.list(), *b.list());
    }
  }
  if (operation == BinaryOperator::kMultiply) {
    const bool from_left = a.is_text() || IsListOrTuple(a);
    const auto times = (from_left ? b : a).AsInt();
    const Value& sequence = from_left ? a : b;
    if (times && (sequence.is_text() || IsListOrTuple(sequence))) {
      return Repeat(runtime, sequence, *times);
    }
  }
  if (operation == BinaryOperator::kModulo && a.is_text()) {
    return PercentFormat(runtime, a.text(), b);
  }
  return WrongOperands(operation, a, b);
}

Result<Value> Negate(const Value& value, bool minus) {
  if (const auto number = value.AsInt()) {
    Int result = *number;
    if (minus && __builtin_sub_overflow(Int{0}, *number, &result)) {
      return Overflow();
    }
    return Value(result);
  }
  if (value.is_float()) {
    return Value(minus ? -value.AsDouble() : value.AsDouble());
  }
  return value.is_undefined()
             ? UndefinedError(value)
             : TemplateError("bad operand type for unary sign: '" + std::string(TypeName(value)) + "'");
}

}  // namespace atelier::text::jinja

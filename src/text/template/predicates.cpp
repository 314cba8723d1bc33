// The tests behind `is`.
#include <algorithm>

#include "text/template/native_support.h"

namespace atelier::text::jinja {
namespace {

using Predicate = bool (*)(const Value&);

// A test that looks at the value alone.
template <Predicate predicate>
Result<Value> Is(Runtime& /*runtime*/, const Value& self, const CallArgs& /*args*/) {
  return Value(predicate(self));
}

template <CompareOperator operation>
Result<Value> Compares(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(result, ApplyCompare(runtime, operation, self, args.positional[0]));
  return Value(result);
}

bool IsDefined(const Value& value) { return !value.is_undefined(); }
bool IsUndefined(const Value& value) { return value.is_undefined(); }
bool IsNone(const Value& value) { return value.is_none(); }
bool IsString(const Value& value) { return value.is_text(); }
bool IsNumber(const Value& value) { return value.is_number(); }
bool IsInteger(const Value& value) { return value.is_int(); }
bool IsFloat(const Value& value) { return value.is_float(); }
bool IsBoolean(const Value& value) { return value.is_bool(); }
bool IsMapping(const Value& value) { return value.dict() != nullptr; }
bool IsTrue(const Value& value) { return value.is_bool() && value.boolean(); }
bool IsFalse(const Value& value) { return value.is_bool() && !value.boolean(); }
bool IsEscaped(const Value& value) { return value.markup(); }
bool IsCallable(const Value& value) { return value.object() != nullptr && value.object()->callable(); }

// Has a length and items by index; undefined has both, as jinja2 answers.
bool IsSequence(const Value& value) {
  const List* list = value.list();
  return value.is_text() || value.dict() != nullptr || value.is_undefined() ||
         (list != nullptr &&
          (list->shape == Shape::kList || list->shape == Shape::kTuple || list->shape == Shape::kRange));
}

bool IsIterable(const Value& value) {
  return value.is_text() || value.dict() != nullptr || value.is_undefined() || value.list() != nullptr;
}

template <bool upper>
Result<Value> HasCase(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_TRY(runtime.StepBytes(2 * self.text().size()));
  const std::string raised = Upper(self.text());
  const std::string lowered = Lower(self.text());
  return Value(self.is_text() && self.text() == (upper ? raised : lowered) && raised != lowered);
}

Result<Value> RemainderIs(Runtime& runtime, const Value& self, const Value& divisor, Int wanted) {
  ATELIER_ASSIGN(rest, Apply(runtime, BinaryOperator::kModulo, self, divisor));
  ATELIER_ASSIGN(same, Equal(runtime, rest, Value(wanted)));
  return Value(same);
}

Result<Value> OddTest(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  return RemainderIs(runtime, self, Value(Int{2}), 1);
}

Result<Value> EvenTest(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  return RemainderIs(runtime, self, Value(Int{2}), 0);
}

Result<Value> DivisibleByTest(Runtime& runtime, const Value& self, const CallArgs& args) {
  return RemainderIs(runtime, self, args.positional[0], 0);
}

Result<Value> InTest(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(found, Contains(runtime, args.positional[0], self));
  return Value(found);
}

// The very same object; for what has no identity here, the same kind and value.
Result<Value> SameAsTest(Runtime& runtime, const Value& self, const CallArgs& args) {
  const Value& other = args.positional[0];
  if (self.kind() != other.kind() || self.list() != other.list() || self.dict() != other.dict()) {
    return Value(false);
  }
  ATELIER_ASSIGN(same, Equal(runtime, self, other));
  return Value(same);
}

Result<Value> StartsWithTest(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(start, TextArgument(args, 0));
  ATELIER_TRY(runtime.StepBytes(start.size()));
  return Value(self.is_text() && self.text().starts_with(start));
}

Result<Value> EndsWithTest(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(end, TextArgument(args, 0));
  ATELIER_TRY(runtime.StepBytes(end.size()));
  return Value(self.is_text() && self.text().ends_with(end));
}

Result<Value> FilterTest(Runtime& /*runtime*/, const Value& self, const CallArgs& /*args*/) {
  return Value(FindFilter(self.text()) != nullptr);
}

Result<Value> TestTest(Runtime& /*runtime*/, const Value& self, const CallArgs& /*args*/) {
  return Value(FindTest(self.text()) != nullptr);
}

constexpr Native kTable[] = {
    {"!=", Compares<CompareOperator::kNotEqual>, 1, {"other"}},
    {"<", Compares<CompareOperator::kLess>, 1, {"other"}},
    {"<=", Compares<CompareOperator::kLessEqual>, 1, {"other"}},
    {"==", Compares<CompareOperator::kEqual>, 1, {"other"}},
    {">", Compares<CompareOperator::kGreater>, 1, {"other"}},
    {">=", Compares<CompareOperator::kGreaterEqual>, 1, {"other"}},
    {"boolean", Is<IsBoolean>},
    {"callable", Is<IsCallable>},
    {"defined", Is<IsDefined>},
    {"divisibleby", DivisibleByTest, 1, {"num"}},
    {"endswith", EndsWithTest, 1, {"end"}},
    {"eq", Compares<CompareOperator::kEqual>, 1, {"other"}},
    {"equalto", Compares<CompareOperator::kEqual>, 1, {"other"}},
    {"escaped", Is<IsEscaped>},
    {"even", EvenTest},
    {"false", Is<IsFalse>},
    {"filter", FilterTest},
    {"float", Is<IsFloat>},
    {"ge", Compares<CompareOperator::kGreaterEqual>, 1, {"other"}},
    {"greaterthan", Compares<CompareOperator::kGreater>, 1, {"other"}},
    {"gt", Compares<CompareOperator::kGreater>, 1, {"other"}},
    {"in", InTest, 1, {"seq"}},
    {"integer", Is<IsInteger>},
    {"iterable", Is<IsIterable>},
    {"le", Compares<CompareOperator::kLessEqual>, 1, {"other"}},
    {"lessthan", Compares<CompareOperator::kLess>, 1, {"other"}},
    {"lower", HasCase<false>},
    {"lt", Compares<CompareOperator::kLess>, 1, {"other"}},
    {"mapping", Is<IsMapping>},
    {"ne", Compares<CompareOperator::kNotEqual>, 1, {"other"}},
    {"none", Is<IsNone>},
    {"number", Is<IsNumber>},
    {"odd", OddTest},
    {"sameas", SameAsTest, 1, {"other"}},
    {"sequence", Is<IsSequence>},
    {"startswith", StartsWithTest, 1, {"start"}},
    {"string", Is<IsString>},
    {"test", TestTest},
    {"true", Is<IsTrue>},
    {"undefined", Is<IsUndefined>},
    {"upper", HasCase<true>},
};

}  // namespace

const Native* FindTest(std::string_view name) {
  const auto* found = std::ranges::find(kTable, name, &Native::name);
  return found == std::end(kTable) ? nullptr : found;
}

}  // namespace atelier::text::jinja

#include "text/template/objects.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "text/template/native_support.h"

namespace atelier::text::jinja {
namespace {

constexpr Int kMaxRange = 100'000;  // as jinja2's sandbox has it
constexpr size_t kMaxMessage = 4096;

class BoundNative final : public Object {
 public:
  BoundNative(Value self, const Native& function) : self_(std::move(self)), function_(function) {}
  std::string_view type_name() const override { return "builtin_function_or_method"; }
  bool callable() const override { return true; }
  Result<Value> Call(Runtime& runtime, CallArgs args) override {
    return CallNative(runtime, function_, self_, std::move(args));
  }

 private:
  Value self_;
  const Native& function_;
};

Result<Value> CyclerNext(Runtime& /*runtime*/, const Value& self, const CallArgs& /*args*/) {
  return static_cast<Cycler*>(self.object())->Next();
}

Result<Value> CyclerReset(Runtime& /*runtime*/, const Value& self, const CallArgs& /*args*/) {
  static_cast<Cycler*>(self.object())->Reset();
  return Value(None{});
}

constexpr Native kCyclerNext{"next", CyclerNext};
constexpr Native kCyclerReset{"reset", CyclerReset};

Result<Value> Range(Runtime& runtime, const Value& /*self*/, const CallArgs& args) {
  for (const Value& bound : args.positional) {
    if (bound.is_none()) {
      return TemplateError("range needs integers");
    }
  }
  ATELIER_ASSIGN(first, IntArgument(args, 0, 0));
  ATELIER_ASSIGN(second, IntArgument(args, 1, 0));
  ATELIER_ASSIGN(step, IntArgument(args, 2, 1));
  const bool only_end = args.positional[1].is_undefined();
  const Int begin = only_end ? 0 : first;
  const Int end = only_end ? first : second;
  constexpr Int kFar = Int{1} << 100U;
  if (step == 0 || begin > kFar || begin < -kFar || end > kFar || end < -kFar || step > kFar || step < -kFar) {
    return TemplateError("range() arg 3 must not be zero, and none too large");
  }
  const Int span = step > 0 ? end - begin : begin - end;
  const Int stride = step > 0 ? step : -step;
  const Int count = span <= 0 ? 0 : (span - 1) / stride + 1;
  if (count > kMaxRange) {
    return TemplateError("Range too big. The sandbox blocks ranges larger than 100000.");
  }
  ATELIER_TRY(runtime.Step(static_cast<size_t>(count)));
  std::vector<Value> items;
  items.reserve(static_cast<size_t>(count));
  for (Int i = 0; i < count; ++i) {
    items.emplace_back(begin + i * step);
  }
  return runtime.heap().NewList(std::move(items), Shape::kRange);
}

// dict(mapping or pairs, name=value ...)
Result<Value> MakeDict(Runtime& runtime, const Value& /*self*/, const CallArgs& args) {
  const Value dict(runtime.heap().NewDict());
  ATELIER_TRY(FindMethod(dict, "update")->function(runtime, dict, args));
  return dict;
}

Result<Value> MakeNamespace(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(dict, MakeDict(runtime, self, args));
  auto* space = runtime.heap().New<Namespace>();
  for (const auto& [name, value] : dict.dict()->entries()) {
    space->Set(runtime, name, value);
  }
  return Value(static_cast<Object*>(space));
}

Result<Value> MakeCycler(Runtime& runtime, const Value& /*self*/, const CallArgs& args) {
  if (args.positional.empty() || !args.named.empty()) {
    return TemplateError("cycler needs at least one item");
  }
  return Value(static_cast<Object*>(runtime.heap().New<Cycler>(args.positional)));
}

Result<Value> MakeJoiner(Runtime& runtime, const Value& /*self*/, const CallArgs& args) {
  const Value separator = args.positional[0].is_undefined() ? Value::Constant(", ") : args.positional[0];
  return Value(static_cast<Object*>(runtime.heap().New<Joiner>(separator)));
}

Result<Value> RaiseException(Runtime& runtime, const Value& /*self*/, const CallArgs& args) {
  ATELIER_ASSIGN(message, Str(runtime, args.positional[0]));
  runtime.set_raised();
  return TemplateError(message.substr(0, kMaxMessage));
}

// The end of one directive of strftime that begins at `at` with '%': a flag of glibc and a letter.
size_t DirectiveEnd(std::string_view format, size_t at) {
  size_t end = at + 1;
  end += end < format.size() && std::string_view("-_0^#").find(format[end]) != std::string_view::npos ? 1 : 0;
  return std::min(end + 1, format.size());
}

Result<Value> StrftimeNow(Runtime& runtime, const Value& /*self*/, const CallArgs& args) {
  ATELIER_ASSIGN(format, TextArgument(args, 0));
  ATELIER_TRY(runtime.Step(format.size() / 4));
  const auto now = static_cast<std::time_t>(runtime.limits().now_s.value_or(0));
  std::tm calendar{};
  if (::gmtime_r(&now, &calendar) == nullptr) {
    return TemplateError("the time is out of range");
  }
  TextBuilder out(runtime);
  for (size_t at = 0; at < format.size();) {
    size_t end = std::min(format.find('%', at), format.size());
    ATELIER_TRY(out.Add(format.substr(at, end - at)));
    at = end;
    if (at >= format.size()) {
      break;
    }
    end = DirectiveEnd(format, at);
    const std::string directive(format.substr(at, end - at));
    const char kind = directive.back();
    if (directive.size() < 2 || !((kind >= 'a' && kind <= 'z') || (kind >= 'A' && kind <= 'Z') || kind == '%')) {
      ATELIER_TRY(out.Add(directive));
    } else if (kind == 'f') {
      ATELIER_TRY(out.Add("000000"));
    } else if (kind != 'z' && kind != 'Z') {  // empty: the time has no zone
      std::array<char, 256> buffer{};
      const size_t size = std::strftime(buffer.data(), buffer.size(), directive.c_str(), &calendar);
      ATELIER_TRY(out.Add({buffer.data(), size}));
    }
    at = end;
  }
  return out.Finish();
}

constexpr Native kGlobals[] = {
    {"cycler", MakeCycler, 0, {}, true},
    {"dict", MakeDict, 0, {}, true},
    {"joiner", MakeJoiner, 0, {"sep"}},
    {"namespace", MakeNamespace, 0, {}, true},
    {"raise_exception", RaiseException, 1, {"message"}},
    {"range", Range, 1, {"start", "stop", "step"}},
    {"strftime_now", StrftimeNow, 1, {"format"}},
};

}  // namespace

const Native* FindGlobal(std::string_view name) {
  const auto* found = std::ranges::find(kGlobals, name, &Native::name);
  return found == std::end(kGlobals) ? nullptr : found;
}

Value BindNative(Runtime& runtime, const Native& function, const Value& self) {
  return Value(static_cast<Object*>(runtime.heap().New<BoundNative>(self, function)));
}

Result<std::optional<Value>> Namespace::Attribute(Runtime& /*runtime*/, const std::string& name) {
  const Value* found = attributes_.Find(std::string_view(name));
  return found == nullptr ? std::optional<Value>() : std::optional(*found);
}

void Namespace::Set(Runtime& runtime, const Value& name, Value value) {
  const size_t before = attributes_.entries().size();
  attributes_.Set(name, std::move(value));
  runtime.heap().Count((attributes_.entries().size() - before) * 4 * sizeof(Value));
}

Result<std::optional<Value>> Cycler::Attribute(Runtime& runtime, const std::string& name) {
  if (name == "current") {
    return std::optional(current());
  }
  if (name == "next" || name == "reset") {
    const Value self(static_cast<Object*>(this));
    return std::optional(BindNative(runtime, name == "next" ? kCyclerNext : kCyclerReset, self));
  }
  return std::optional<Value>();
}

Result<Value> Joiner::Call(Runtime& /*runtime*/, CallArgs args) {
  if (!args.positional.empty() || !args.named.empty()) {
    return TemplateError("a joiner takes no arguments");
  }
  return std::exchange(used_, true) ? separator_ : Value::Constant("");
}

}  // namespace atelier::text::jinja

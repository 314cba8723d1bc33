// Filters that apply other filters and tests to every item.
#include <algorithm>

#include "text/template/native_support.h"

namespace atelier::text::jinja {
namespace {

// As Iterate; but what is false has no items here, whatever it is: jinja2 looks at the truth first.
Result<std::vector<Value>> IterateIfTrue(Runtime& runtime, const Value& value) {
  return Truth(value) ? Iterate(runtime, value) : Result<std::vector<Value>>(std::vector<Value>());
}

// The named argument, taken out of `args`.
std::optional<Value> TakeNamed(CallArgs& args, std::string_view name) {
  const auto found = std::ranges::find(args.named, name, &std::pair<std::string, Value>::first);
  if (found == args.named.end()) {
    return std::nullopt;
  }
  Value value = std::move(found->second);
  args.named.erase(found);
  return value;
}

// What select and its like do with the arguments that are left: a test by name, or the truth of the value.
class Selector {
 public:
  static Result<Selector> Make(CallArgs args) {
    Selector selector;
    if (!args.positional.empty()) {
      const std::string name(args.positional.front().text());
      selector.test_ = FindTest(name);
      if (selector.test_ == nullptr) {
        return TemplateError("there is no test named '" + name + "'");
      }
      args.positional.erase(args.positional.begin());
    }
    selector.args_ = std::move(args);
    return selector;
  }

  Result<bool> operator()(Runtime& runtime, const Value& value) const {
    if (test_ == nullptr) {
      return Truth(value);
    }
    ATELIER_ASSIGN(result, CallNative(runtime, *test_, value, args_));
    return Truth(result);
  }

 private:
  const Native* test_ = nullptr;
  CallArgs args_;
};

Result<Value> Select(Runtime& runtime, const Value& self, CallArgs args, bool wanted) {
  ATELIER_ASSIGN(items, IterateIfTrue(runtime, self));
  ATELIER_ASSIGN(selector, Selector::Make(std::move(args)));
  std::vector<Value> selected;
  for (Value& item : items) {
    ATELIER_ASSIGN(fits, selector(runtime, item));
    if (fits == wanted) {
      selected.push_back(std::move(item));
    }
  }
  return runtime.heap().NewList(std::move(selected), Shape::kIterator);
}

Result<Value> SelectAttribute(Runtime& runtime, const Value& self, CallArgs args, bool wanted) {
  if (args.positional.empty()) {
    return TemplateError("selectattr and rejectattr need the name of an attribute");
  }
  const Value path = args.positional.front();
  args.positional.erase(args.positional.begin());
  ATELIER_ASSIGN(items, IterateIfTrue(runtime, self));
  ATELIER_ASSIGN(selector, Selector::Make(std::move(args)));
  std::vector<Value> selected;
  for (Value& item : items) {
    ATELIER_ASSIGN(value, FollowPath(runtime, item, path));
    ATELIER_ASSIGN(fits, selector(runtime, value));
    if (fits == wanted) {
      selected.push_back(std::move(item));
    }
  }
  return runtime.heap().NewList(std::move(selected), Shape::kIterator);
}

Result<Value> SelectFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  return Select(runtime, self, args, true);
}

Result<Value> RejectFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  return Select(runtime, self, args, false);
}

Result<Value> SelectAttrFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  return SelectAttribute(runtime, self, args, true);
}

Result<Value> RejectAttrFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  return SelectAttribute(runtime, self, args, false);
}

Result<Value> MapAttribute(Runtime& runtime, std::vector<Value> items, const Value& path, const Value& fallback) {
  for (Value& item : items) {
    ATELIER_ASSIGN(found, FollowPath(runtime, item, path, fallback));
    item = found;
  }
  return runtime.heap().NewList(std::move(items), Shape::kIterator);
}

Result<Value> MapFilter(Runtime& runtime, const Value& self, const CallArgs& given) {
  CallArgs args = given;
  ATELIER_ASSIGN(items, IterateIfTrue(runtime, self));
  if (args.positional.empty()) {
    const auto path = TakeNamed(args, "attribute");
    const auto fallback = TakeNamed(args, "default");
    if (!path || !args.named.empty()) {
      return TemplateError("map needs a filter or an attribute");
    }
    return MapAttribute(runtime, std::move(items), *path, fallback.value_or(Value()));
  }
  const std::string name(args.positional.front().text());
  const Native* filter = FindFilter(name);
  if (filter == nullptr) {
    return TemplateError("there is no filter named '" + name + "'");
  }
  args.positional.erase(args.positional.begin());
  for (Value& item : items) {
    ATELIER_ASSIGN(mapped, CallNative(runtime, *filter, item, args));
    item = mapped;
  }
  return runtime.heap().NewList(std::move(items), Shape::kIterator);
}

Result<Value> AttrFilter(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(name, Str(runtime, args.positional[0]));
  if (self.is_undefined()) {
    return UndefinedError(self);
  }
  // An attribute in the narrow sense: entries of dicts do not count.
  if (FindMethod(self, name) != nullptr || self.object() != nullptr) {
    ATELIER_ASSIGN(found, GetAttribute(runtime, self, name, Value::Constant(name)));
    return found.is_undefined() ? Value() : found;  // the name does not outlive this call
  }
  return Value();
}

constexpr Native kTable[] = {
    {"attr", AttrFilter, 1, {"name"}},     {"map", MapFilter, 0, {}, true},
    {"reject", RejectFilter, 0, {}, true}, {"rejectattr", RejectAttrFilter, 0, {}, true},
    {"select", SelectFilter, 0, {}, true}, {"selectattr", SelectAttrFilter, 0, {}, true},
};

}  // namespace

std::span<const Native> SelectionFilters() { return kTable; }

}  // namespace atelier::text::jinja

// Methods of list, tuple and dict. Those that change them are what jinja2's immutable sandbox refuses; other engines
// allow them, and some templates use them.
#include <algorithm>

#include "text/template/native_support.h"

namespace atelier::text::jinja {
namespace {

constexpr size_t kEntryBytes = 2 * sizeof(Value) + 96;  // with the node of the index

// ---- list ----

Result<Value> Append(Runtime& runtime, const Value& self, const CallArgs& args) {
  runtime.heap().Count(sizeof(Value));
  self.list()->items.push_back(args.positional[0]);
  return Value(None{});
}

Result<Value> Extend(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(items, Iterate(runtime, args.positional[0]));
  runtime.heap().Count(items.size() * sizeof(Value));
  auto& list = self.list()->items;
  list.insert(list.end(), items.begin(), items.end());
  return Value(None{});
}

Result<Value> Insert(Runtime& runtime, const Value& self, const CallArgs& args) {
  auto& items = self.list()->items;
  const Int size = static_cast<Int>(items.size());
  ATELIER_ASSIGN(given, IntArgument(args, 0, 0));
  const Int at = std::clamp<Int>(given < 0 && given >= -size ? given + size : given, 0, size);
  ATELIER_TRY(runtime.Step(items.size() / 8));
  runtime.heap().Count(sizeof(Value));
  items.insert(items.begin() + static_cast<std::ptrdiff_t>(at), args.positional[1]);
  return Value(None{});
}

Result<Value> PopItem(Runtime& runtime, const Value& self, const CallArgs& args) {
  auto& items = self.list()->items;
  const Int size = static_cast<Int>(items.size());
  ATELIER_ASSIGN(given, IntArgument(args, 0, -1));
  const Int at = given < 0 ? given + size : given;
  if (at < 0 || at >= size) {
    return TemplateError(size == 0 ? "pop from empty list" : "pop index out of range");
  }
  ATELIER_TRY(runtime.Step(items.size() / 8));
  Value item = items[static_cast<size_t>(at)];
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
  return item;
}

Result<std::optional<size_t>> Position(Runtime& runtime, const Value& self, const Value& wanted) {
  const std::vector<Value> items = self.list()->items;
  ATELIER_TRY(runtime.Step(items.size()));
  for (size_t i = 0; i < items.size(); ++i) {
    ATELIER_ASSIGN(same, Equal(runtime, items[i], wanted));
    if (same) {
      return std::optional(i);
    }
  }
  return std::optional<size_t>();
}

Result<Value> IndexOf(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(at, Position(runtime, self, args.positional[0]));
  return at ? Value::Size(*at) : Result<Value>(TemplateError("the value is not in the list"));
}

Result<Value> Remove(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(at, Position(runtime, self, args.positional[0]));
  if (!at) {
    return TemplateError("list.remove(x): x not in list");
  }
  auto& items = self.list()->items;
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(*at));
  return Value(None{});
}

Result<Value> CountItems(Runtime& runtime, const Value& self, const CallArgs& args) {
  Int count = 0;
  for (const Value& item : self.list()->items) {
    ATELIER_ASSIGN(same, Equal(runtime, item, args.positional[0]));
    count += same ? 1 : 0;
  }
  return Value(count);
}

Result<Value> ReverseItems(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_TRY(runtime.Step(self.list()->items.size()));
  std::ranges::reverse(self.list()->items);
  return Value(None{});
}

Result<Value> CopyList(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  ATELIER_ASSIGN(items, Iterate(runtime, self));
  return runtime.heap().NewList(std::move(items));
}

Result<Value> ClearList(Runtime& /*runtime*/, const Value& self, const CallArgs& /*args*/) {
  self.list()->items.clear();
  return Value(None{});
}

constexpr Native kListTable[] = {
    {"append", Append, 1, {"object"}},
    {"clear", ClearList},
    {"copy", CopyList},
    {"count", CountItems, 1, {"value"}},
    {"extend", Extend, 1, {"iterable"}},
    {"index", IndexOf, 1, {"value"}},
    {"insert", Insert, 2, {"index", "object"}},
    {"pop", PopItem, 0, {"index"}},
    {"remove", Remove, 1, {"value"}},
    {"reverse", ReverseItems},
};

// ---- dict ----

Result<Value> Get(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_TRY(runtime.Step(args.positional[0].text().size() / 8));
  const Value* found = IsKey(args.positional[0]) ? self.dict()->Find(args.positional[0]) : nullptr;
  if (found != nullptr) {
    return *found;
  }
  return args.positional[1].is_undefined() ? Value(None{}) : args.positional[1];
}

template <Shape shape>
Result<Value> View(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  const Dict& dict = *self.dict();
  ATELIER_TRY(runtime.Step(dict.entries().size()));
  if (shape == Shape::kItems) {
    return runtime.heap().NewList(PairsOf(runtime, dict), shape);
  }
  std::vector<Value> items;
  items.reserve(dict.entries().size());
  for (const auto& [key, value] : dict.entries()) {
    items.push_back(shape == Shape::kKeys ? key : value);
  }
  return runtime.heap().NewList(std::move(items), shape);
}

Status Put(Runtime& runtime, Dict& dict, const Value& key, const Value& value) {
  if (!IsKey(key)) {
    return TemplateError("unhashable type: '" + std::string(TypeName(key)) + "'");
  }
  runtime.heap().Count(kEntryBytes);
  dict.Set(key, value);
  return runtime.Step(1 + key.text().size() / 8);
}

// dict.update(mapping or pairs, name=value ...)
Result<Value> Update(Runtime& runtime, const Value& self, const CallArgs& args) {
  Dict& dict = *self.dict();
  if (args.positional.size() > 1) {
    return TemplateError("update expected at most 1 argument");
  }
  if (!args.positional.empty()) {
    if (const Dict* other = args.positional[0].dict()) {
      const auto entries = other->entries();  // a copy: it may be the same dict
      for (const auto& [key, value] : entries) {
        ATELIER_TRY(Put(runtime, dict, key, value));
      }
    } else {
      ATELIER_ASSIGN(items, Iterate(runtime, args.positional[0]));
      for (const Value& item : items) {
        if (item.list() == nullptr || item.list()->items.size() != 2) {
          return TemplateError("update needs a mapping or pairs");
        }
        ATELIER_TRY(Put(runtime, dict, item.list()->items[0], item.list()->items[1]));
      }
    }
  }
  for (const auto& [name, value] : args.named) {
    ATELIER_TRY(Put(runtime, dict, Value::Constant(name), value));
  }
  return Value(None{});
}

Result<Value> PopKey(Runtime& runtime, const Value& self, const CallArgs& args) {
  Dict& dict = *self.dict();
  const Value& key = args.positional[0];
  const Value* found = IsKey(key) ? dict.Find(key) : nullptr;
  if (found == nullptr) {
    return args.positional[1].is_undefined() ? TemplateError("pop: there is no such key")
                                             : Result<Value>(args.positional[1]);
  }
  ATELIER_TRY(runtime.Step(dict.entries().size() + key.text().size() / 8));
  Value value = *found;
  dict.Erase(key);
  return value;
}

Result<Value> SetDefault(Runtime& runtime, const Value& self, const CallArgs& args) {
  const Value& key = args.positional[0];
  ATELIER_TRY(runtime.Step(key.text().size() / 8));
  if (const Value* found = IsKey(key) ? self.dict()->Find(key) : nullptr) {
    return *found;
  }
  const Value value = args.positional[1].is_undefined() ? Value(None{}) : args.positional[1];
  ATELIER_TRY(Put(runtime, *self.dict(), key, value));
  return value;
}

Result<Value> CopyDict(Runtime& runtime, const Value& self, const CallArgs& /*args*/) {
  Dict* copy = runtime.heap().NewDict();
  for (const auto& [key, value] : self.dict()->entries()) {
    ATELIER_TRY(Put(runtime, *copy, key, value));
  }
  return Value(copy);
}

Result<Value> ClearDict(Runtime& /*runtime*/, const Value& self, const CallArgs& /*args*/) {
  self.dict()->Clear();
  return Value(None{});
}

constexpr Native kDictTable[] = {
    {"clear", ClearDict},
    {"copy", CopyDict},
    {"get", Get, 1, {"key", "default"}},
    {"items", View<Shape::kItems>},
    {"keys", View<Shape::kKeys>},
    {"pop", PopKey, 1, {"key", "default"}},
    {"setdefault", SetDefault, 1, {"key", "default"}},
    {"update", Update, 0, {}, true},
    {"values", View<Shape::kValues>},
};

}  // namespace

std::span<const Native> ListMethods() { return kListTable; }
std::span<const Native> DictMethods() { return kDictTable; }

}  // namespace atelier::text::jinja

#include "text/template/operations.h"

#include <algorithm>
#include <cmath>

#include "text/template/objects.h"
#include "text/template/unicode.h"

namespace atelier::text::jinja {
namespace {

bool AreEqualNumbers(const Value& a, const Value& b) {
  const auto int_a = a.AsInt();
  const auto int_b = b.AsInt();
  return int_a && int_b ? *int_a == *int_b : a.AsDouble() == b.AsDouble();
}

Result<bool> AreEqualLists(Runtime& runtime, const List& a, const List& b) {
  if (a.shape != b.shape || a.items.size() != b.items.size()) {
    return false;
  }
  for (size_t i = 0; i < a.items.size() && i < b.items.size(); ++i) {
    ATELIER_ASSIGN(same, Equal(runtime, a.items[i], b.items[i]));
    if (!same) {
      return false;
    }
  }
  return true;
}

Result<bool> AreEqualDicts(Runtime& runtime, Dict& a, Dict& b) {
  if (a.entries().size() != b.entries().size()) {
    return false;
  }
  for (const auto& [key, value] : a.entries()) {
    const Value* other = b.Find(key);
    if (other == nullptr) {
      return false;
    }
    ATELIER_ASSIGN(same, Equal(runtime, value, *other));
    if (!same) {
      return false;
    }
  }
  return true;
}

Result<bool> LessLists(Runtime& runtime, const List& a, const List& b) {
  for (size_t i = 0; i < a.items.size() && i < b.items.size(); ++i) {
    ATELIER_ASSIGN(same, Equal(runtime, a.items[i], b.items[i]));
    if (!same) {
      return Less(runtime, a.items[i], b.items[i]);
    }
  }
  return a.items.size() < b.items.size();
}

Error NoOrder(const Value& a, const Value& b) {
  if (a.is_undefined() || b.is_undefined()) {
    return UndefinedError(a.is_undefined() ? a : b);
  }
  return TemplateError("'<' is not supported between instances of '" + std::string(TypeName(a)) + "' and '" +
                       std::string(TypeName(b)) + "'");
}

bool IsIndexable(const List& list) {
  return list.shape == Shape::kList || list.shape == Shape::kTuple || list.shape == Shape::kRange;
}

Result<std::optional<Value>> CharacterAt(Runtime& runtime, std::string_view text, Int index) {
  ATELIER_TRY(runtime.StepBytes(text.size()));
  const Int count = static_cast<Int>(CountCodePoints(text));
  const Int wanted = index < 0 ? index + count : index;
  if (wanted < 0 || wanted >= count) {
    return std::optional<Value>();
  }
  size_t at = 0;
  for (Int i = 0; i < wanted; ++i) {
    at += DecodeAt(text, at).bytes;
  }
  return std::optional(runtime.heap().NewText(std::string(text.substr(at, DecodeAt(text, at).bytes))));
}

// The entry of a list, string or dict; nullopt when there is none.
Result<std::optional<Value>> EntryOf(Runtime& runtime, const Value& base, const Value& index) {
  ATELIER_TRY(runtime.Step(index.text().size() / 8));  // keys are compared several times
  if (Dict* dict = base.dict()) {
    const Value* found = IsKey(index) ? dict->Find(index) : nullptr;
    return found == nullptr ? std::optional<Value>() : std::optional(*found);
  }
  const auto number = index.AsInt();
  if (!number) {
    return std::optional<Value>();
  }
  if (base.is_text()) {
    return CharacterAt(runtime, base.text(), *number);
  }
  const List* list = base.list();
  if (list == nullptr || !IsIndexable(*list)) {
    return std::optional<Value>();
  }
  const Int count = static_cast<Int>(list->items.size());
  const Int wanted = *number < 0 ? *number + count : *number;
  return wanted < 0 || wanted >= count ? std::optional<Value>()
                                       : std::optional(list->items[static_cast<size_t>(wanted)]);
}

struct Steps {
  Int begin = 0;
  Int step = 1;
  size_t count = 0;
};

// Python's slice.indices().
Result<Steps> ResolveSlice(const SliceBounds& bounds, size_t size) {
  const auto bound = [](const Value& value, Int fallback) -> Result<Int> {
    if (value.is_none()) {
      return fallback;
    }
    const auto number = value.AsInt();
    if (!number) {
      return value.is_undefined() ? UndefinedError(value) : TemplateError("slice indices must be integers or None");
    }
    return *number;
  };
  ATELIER_ASSIGN(step, bound(bounds.step, 1));
  if (step == 0) {
    return TemplateError("slice step cannot be zero");
  }
  const Int length = static_cast<Int>(size);
  const Int lowest = step > 0 ? 0 : -1;
  const Int highest = step > 0 ? length : length - 1;
  const auto clamp = [&](Int at) { return std::clamp(at < 0 && at >= -length ? at + length : at, lowest, highest); };
  ATELIER_ASSIGN(begin, bound(bounds.begin, step > 0 ? 0 : length));
  ATELIER_ASSIGN(end, bound(bounds.end, step > 0 ? length : -length - 1));
  begin = clamp(begin);
  end = clamp(end);
  Steps steps{begin, std::clamp(step, -length - 1, length + 1), 0};
  if (step > 0 && begin < end) {
    steps.count = static_cast<size_t>((end - begin - 1) / steps.step + 1);
  } else if (step < 0 && begin > end) {
    steps.count = static_cast<size_t>((begin - end - 1) / -steps.step + 1);
  }
  return steps;
}

Result<Value> SliceText(Runtime& runtime, std::string_view text, const SliceBounds& bounds) {
  ATELIER_TRY(runtime.StepBytes(text.size()));
  ATELIER_ASSIGN(steps, ResolveSlice(bounds, CountCodePoints(text)));
  std::string out;
  if (steps.step == 1) {
    size_t at = 0;
    for (Int i = 0; i < steps.begin; ++i) {
      at += DecodeAt(text, at).bytes;
    }
    const size_t begin = at;
    for (size_t i = 0; i < steps.count; ++i) {
      at += DecodeAt(text, at).bytes;
    }
    return runtime.heap().NewText(std::string(text.substr(begin, at - begin)));
  }
  const std::vector<size_t> offsets = CodePointOffsets(text);
  for (size_t i = 0; i < steps.count; ++i) {
    const auto at = static_cast<size_t>(steps.begin + static_cast<Int>(i) * steps.step);
    out += text.substr(offsets[at], offsets[at + 1] - offsets[at]);
  }
  return runtime.heap().NewText(std::move(out));
}

}  // namespace

Result<bool> Equal(Runtime& runtime, const Value& a, const Value& b) {
  const DepthGuard guard(runtime);
  ATELIER_TRY(guard.status());
  ATELIER_TRY(runtime.Step());
  if (a.is_number() && b.is_number()) {
    return AreEqualNumbers(a, b);
  }
  if (a.kind() != b.kind()) {
    return false;
  }
  if (a.is_text()) {
    ATELIER_TRY(runtime.StepBytes(std::min(a.text().size(), b.text().size())));
    return a.text() == b.text();
  }
  if (a.list() != nullptr) {
    return a.list() == b.list() ? Result<bool>(true) : AreEqualLists(runtime, *a.list(), *b.list());
  }
  if (a.dict() != nullptr) {
    return a.dict() == b.dict() ? Result<bool>(true) : AreEqualDicts(runtime, *a.dict(), *b.dict());
  }
  return a.object() == b.object();  // of None and of undefined: both null
}

Result<bool> Less(Runtime& runtime, const Value& a, const Value& b) {
  const DepthGuard guard(runtime);
  ATELIER_TRY(guard.status());
  ATELIER_TRY(runtime.Step());
  if (a.is_number() && b.is_number()) {
    const auto int_a = a.AsInt();
    const auto int_b = b.AsInt();
    return int_a && int_b ? *int_a < *int_b : a.AsDouble() < b.AsDouble();
  }
  if (a.is_text() && b.is_text()) {
    ATELIER_TRY(runtime.StepBytes(std::min(a.text().size(), b.text().size())));
    return a.text() < b.text();  // the order of UTF-8 is that of code points
  }
  if (a.list() != nullptr && b.list() != nullptr && a.list()->shape == b.list()->shape && IsIndexable(*a.list())) {
    return LessLists(runtime, *a.list(), *b.list());
  }
  return NoOrder(a, b);
}

Result<bool> Contains(Runtime& runtime, const Value& container, const Value& item) {
  if (container.is_text()) {
    if (!item.is_text()) {
      return TemplateError("'in <string>' requires a string as its left side, not '" + std::string(TypeName(item)) +
                           "'");
    }
    ATELIER_TRY(runtime.StepSearch(container.text(), item.text()));
    return container.text().find(item.text()) != std::string_view::npos;
  }
  if (Dict* dict = container.dict()) {
    if (!IsKey(item)) {
      return item.is_undefined() ? Result<bool>(false)
                                 : TemplateError("unhashable type: '" + std::string(TypeName(item)) + "'");
    }
    ATELIER_TRY(runtime.Step(item.text().size() / 8));
    return dict->Find(item) != nullptr;
  }
  ATELIER_ASSIGN(items, Iterate(runtime, container));
  for (const Value& candidate : items) {
    ATELIER_ASSIGN(same, Equal(runtime, candidate, item));
    if (same) {
      return true;
    }
  }
  return false;
}

Result<bool> ApplyCompare(Runtime& runtime, CompareOperator operation, const Value& a, const Value& b) {
  const auto inverted = [](Result<bool> result) { return result.ok() ? Result<bool>(!*result) : result; };
  const auto or_equal = [&](Result<bool> less) { return less.ok() && !*less ? Equal(runtime, a, b) : less; };
  switch (operation) {
    case CompareOperator::kEqual:
      return Equal(runtime, a, b);
    case CompareOperator::kNotEqual:
      return inverted(Equal(runtime, a, b));
    case CompareOperator::kLess:
      return Less(runtime, a, b);
    case CompareOperator::kLessEqual:
      return or_equal(Less(runtime, a, b));
    case CompareOperator::kGreater:
      return Less(runtime, b, a);
    case CompareOperator::kGreaterEqual:
      return or_equal(Less(runtime, b, a));
    case CompareOperator::kIn:
      return Contains(runtime, b, a);
    case CompareOperator::kNotIn:
      return inverted(Contains(runtime, b, a));
  }
  return false;
}

Result<Value> GetAttribute(Runtime& runtime, const Value& base, const std::string& name, const Value& key) {
  if (base.is_undefined()) {
    return UndefinedError(base);
  }
  if (Object* object = base.object()) {
    ATELIER_ASSIGN(found, object->Attribute(runtime, name));
    return found.value_or(Value(Undefined{&name}));
  }
  if (const Native* method = FindMethod(base, name)) {
    return BindNative(runtime, *method, base);
  }
  if (Dict* dict = base.dict()) {
    const Value* found = dict->Find(key.text());
    return found == nullptr ? Value(Undefined{&name}) : *found;
  }
  return Value(Undefined{&name});
}

Result<Value> GetItem(Runtime& runtime, const Value& base, const Value& index, const std::string* name) {
  if (base.is_undefined()) {
    return UndefinedError(base);
  }
  ATELIER_ASSIGN(entry, EntryOf(runtime, base, index));
  if (entry) {
    return *entry;
  }
  if (index.is_text()) {
    if (const Native* method = FindMethod(base, index.text())) {
      return BindNative(runtime, *method, base);
    }
    if (Object* object = base.object()) {
      ATELIER_ASSIGN(found, object->Attribute(runtime, std::string(index.text())));
      return found.value_or(Value(Undefined{name}));
    }
  }
  return Value(Undefined{name});
}

Result<Value> GetSlice(Runtime& runtime, const Value& base, const SliceBounds& bounds) {
  if (base.is_undefined()) {
    return UndefinedError(base);
  }
  if (base.is_text()) {
    return SliceText(runtime, base.text(), bounds);
  }
  const List* list = base.list();
  if (list == nullptr || !IsIndexable(*list)) {
    return TemplateError("'" + std::string(TypeName(base)) + "' object cannot be sliced");
  }
  ATELIER_ASSIGN(steps, ResolveSlice(bounds, list->items.size()));
  ATELIER_TRY(runtime.Step(steps.count));
  std::vector<Value> items;
  items.reserve(steps.count);
  for (size_t i = 0; i < steps.count; ++i) {
    items.push_back(list->items[static_cast<size_t>(steps.begin + static_cast<Int>(i) * steps.step)]);
  }
  return runtime.heap().NewList(std::move(items), list->shape);
}

Result<std::vector<Value>> Iterate(Runtime& runtime, const Value& value) {
  std::vector<Value> items;
  if (List* list = value.list()) {
    ATELIER_TRY(runtime.Step(list->items.size()));
    if (list->shape == Shape::kIterator) {
      items.swap(list->items);
    } else {
      items = list->items;
    }
  } else if (const Dict* dict = value.dict()) {
    ATELIER_TRY(runtime.Step(dict->entries().size()));
    for (const auto& [key, entry] : dict->entries()) {
      items.push_back(key);
    }
  } else if (value.is_text()) {
    const std::string_view text = value.text();
    for (size_t at = 0; at < text.size();) {
      ATELIER_TRY(runtime.Step());
      const size_t bytes = DecodeAt(text, at).bytes;
      items.push_back(runtime.heap().NewText(std::string(text.substr(at, bytes))));
      at += bytes;
    }
  } else if (!value.is_undefined()) {
    return TemplateError("'" + std::string(TypeName(value)) + "' object is not iterable");
  }
  return items;
}

Result<Value> Length(Runtime& runtime, const Value& value) {
  if (value.is_text()) {
    ATELIER_TRY(runtime.StepBytes(value.text().size()));
    return Value::Size(CountCodePoints(value.text()));
  }
  if (const List* list = value.list(); list != nullptr && list->shape != Shape::kIterator) {
    return Value::Size(list->items.size());
  }
  if (const Dict* dict = value.dict()) {
    return Value::Size(dict->entries().size());
  }
  if (value.is_undefined()) {
    return Value(Int{0});
  }
  return TemplateError("object of type '" + std::string(TypeName(value)) + "' has no len()");
}

}  // namespace atelier::text::jinja

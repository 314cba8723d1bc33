#include "text/template/value.h"

#include <algorithm>
#include <cmath>

namespace atelier::text::jinja {
namespace {

constexpr size_t kSmallDict = 8;      // entries that are searched one by one
constexpr size_t kItemOverhead = 64;  // of the allocator and of the pointers to an item

bool IsNan(const Value& value) { return value.is_float() && std::isnan(value.AsDouble()); }

// The rank of a key's kind: numbers are one kind.
int KeyRank(const Value& value) {
  if (value.is_text()) {
    return 2;
  }
  return value.is_number() ? 1 : 0;
}

}  // namespace

Text::Text(std::string text, bool is_markup, Meter* owner) : bytes(std::move(text)), markup(is_markup), meter(owner) {
  if (meter != nullptr) {
    meter->bytes += bytes.size() + kItemOverhead;
  }
}

Text::~Text() {
  if (meter != nullptr) {
    meter->bytes -= bytes.size() + kItemOverhead;
  }
}

Value Value::Constant(std::string_view text) {
  return Value(std::make_shared<const Text>(std::string(text), false, nullptr));
}

std::optional<Int> Value::AsInt() const {
  if (const Int* number = std::get_if<Int>(&state_)) {
    return *number;
  }
  if (const bool* flag = std::get_if<bool>(&state_)) {
    return *flag ? 1 : 0;
  }
  return std::nullopt;
}

double Value::AsDouble() const {
  if (const double* number = std::get_if<double>(&state_)) {
    return *number;
  }
  return static_cast<double>(AsInt().value_or(0));
}

std::string_view Value::text() const {
  const auto* found = std::get_if<std::shared_ptr<const Text>>(&state_);
  return found == nullptr ? std::string_view() : std::string_view((*found)->bytes);
}

bool Value::markup() const {
  const auto* found = std::get_if<std::shared_ptr<const Text>>(&state_);
  return found != nullptr && (*found)->markup;
}

bool IsKey(const Value& value) { return value.is_none() || value.is_number() || value.is_text(); }

bool KeyLess::operator()(const Value& a, const Value& b) const {
  const int rank_a = KeyRank(a);
  const int rank_b = KeyRank(b);
  if (rank_a != rank_b) {
    return rank_a < rank_b;
  }
  if (rank_a == 2) {
    return a.text() < b.text();
  }
  if (rank_a == 0) {
    return false;
  }
  const auto int_a = a.AsInt();
  const auto int_b = b.AsInt();
  if (int_a && int_b) {
    return *int_a < *int_b;
  }
  if (IsNan(a) || IsNan(b)) {
    return IsNan(a) && !IsNan(b);  // one place for all of them, so that this is an order
  }
  return static_cast<long double>(int_a ? *int_a : a.AsDouble()) <
         static_cast<long double>(int_b ? *int_b : b.AsDouble());
}

bool KeyEqual(const Value& a, const Value& b) {
  const KeyLess less;
  return !less(a, b) && !less(b, a);
}

std::optional<size_t> Dict::Index(const Value& key) const {
  if (entries_.size() > kSmallDict) {
    const auto found = index_.find(key);
    return found == index_.end() ? std::nullopt : std::optional(found->second);
  }
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (KeyEqual(entries_[i].first, key)) {
      return i;
    }
  }
  return std::nullopt;
}

Value* Dict::Find(const Value& key) {
  const auto at = Index(key);
  return at ? &entries_[*at].second : nullptr;
}

Value* Dict::Find(std::string_view key) {
  if (entries_.size() <= kSmallDict) {
    for (auto& [name, value] : entries_) {
      if (name.is_text() && name.text() == key) {
        return &value;
      }
    }
    return nullptr;
  }
  return Find(Value::Constant(key));
}

void Dict::Set(const Value& key, Value value) {
  if (Value* found = Find(key)) {
    *found = std::move(value);
    return;
  }
  entries_.emplace_back(key, std::move(value));
  if (entries_.size() == kSmallDict + 1) {
    for (size_t i = 0; i < entries_.size(); ++i) {
      index_.emplace(entries_[i].first, i);
    }
  } else if (entries_.size() > kSmallDict) {
    index_.emplace(key, entries_.size() - 1);
  }
}

bool Dict::Erase(const Value& key) {
  const auto at = Index(key);
  if (!at) {
    return false;
  }
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(*at));
  index_.clear();
  if (entries_.size() > kSmallDict) {
    for (size_t i = 0; i < entries_.size(); ++i) {
      index_.emplace(entries_[i].first, i);
    }
  }
  return true;
}

void Dict::Clear() {
  entries_.clear();
  index_.clear();
}

Result<std::optional<Value>> Object::Attribute(Runtime& /*runtime*/, const std::string& /*name*/) {
  return std::optional<Value>();
}

Result<Value> Object::Call(Runtime& /*runtime*/, CallArgs /*args*/) {
  return InvalidArgument("'" + std::string(type_name()) + "' object is not callable", "", "template_error");
}

Value Heap::NewText(std::string text, bool markup) {
  return Value(std::make_shared<const Text>(std::move(text), markup, &meter_));
}

List* Heap::NewList(Shape shape) { return New<List>(shape); }

Value Heap::NewList(std::vector<Value> items, Shape shape) {
  List* list = NewList(shape);
  Count(items.size() * sizeof(Value));
  list->items = std::move(items);
  return Value(list);
}

Dict* Heap::NewDict() { return New<Dict>(); }

void Heap::Adopt(std::unique_ptr<HeapItem> item, size_t bytes) {
  items_.push_back(std::move(item));
  meter_.bytes += bytes + kItemOverhead;
}

std::string_view TypeName(const Value& value) {
  constexpr std::string_view kLists[] = {"list",        "tuple",      "range",    "dict_keys",
                                         "dict_values", "dict_items", "generator"};
  if (const List* list = value.list()) {
    return kLists[static_cast<size_t>(list->shape)];
  }
  if (const Object* object = value.object()) {
    return object->type_name();
  }
  constexpr std::string_view kKinds[] = {"Undefined", "NoneType", "bool", "int", "float", "str", "list", "dict"};
  return kKinds[value.kind()];
}

bool Truth(const Value& value) {
  if (const List* list = value.list()) {
    return list->shape == Shape::kIterator || !list->items.empty();
  }
  if (const Dict* dict = value.dict()) {
    return !dict->entries().empty();
  }
  if (value.is_text()) {
    return !value.text().empty();
  }
  if (value.is_number()) {
    return value.AsDouble() != 0;
  }
  return value.object() != nullptr;
}

}  // namespace atelier::text::jinja

// The values of a template: Python's None, bool, int, float, str, list, tuple and dict as far as a template can tell
// them apart, jinja2's Undefined, and objects with behaviour of their own (namespaces, macros, loops).
//
// A string is shared and immutable. Lists, dicts and objects belong to the Heap of one rendering, which frees them at
// its end: values refer to them by plain pointers, so that references behave as in Python and cycles cost nothing.
// Not thread-safe, except that values without a heap (the constants of a parsed template) may be read by many threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace atelier::text::jinja {

class Dict;
class Object;
class Runtime;
class Value;
struct CallArgs;
struct List;

using Int = __int128;  // holds every integer of JSON; arithmetic beyond it is an error

// How many bytes the values of one rendering hold.
struct Meter {
  size_t bytes = 0;
};

struct Text {
  Text(std::string text, bool is_markup, Meter* owner);
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  ~Text();

  const std::string bytes;
  const bool markup;  // came from `safe` or `escape`: `+` escapes the other side
  Meter* const meter;
};

struct Undefined {
  const std::string* name = nullptr;  // of what is missing, for messages; borrowed from the template; may be null
};
struct None {};

class Value {
 public:
  Value() = default;
  explicit Value(Undefined undefined) : state_(undefined) {}
  explicit Value(None none) : state_(none) {}
  explicit Value(bool flag) : state_(flag) {}
  explicit Value(Int number) : state_(number) {}
  explicit Value(double number) : state_(number) {}
  explicit Value(std::shared_ptr<const Text> text) : state_(std::move(text)) {}
  explicit Value(List* list) : state_(list) {}
  explicit Value(Dict* dict) : state_(dict) {}
  explicit Value(Object* object) : state_(object) {}
  // A string that no heap accounts for: constants of a template, and keys.
  static Value Constant(std::string_view text);
  static Value Size(size_t size) { return Value(static_cast<Int>(size)); }

  bool is_undefined() const { return std::holds_alternative<Undefined>(state_); }
  bool is_none() const { return std::holds_alternative<None>(state_); }
  bool is_bool() const { return std::holds_alternative<bool>(state_); }
  bool is_int() const { return std::holds_alternative<Int>(state_); }
  bool is_float() const { return std::holds_alternative<double>(state_); }
  bool is_text() const { return std::holds_alternative<std::shared_ptr<const Text>>(state_); }
  bool is_number() const { return is_bool() || is_int() || is_float(); }

  // Of the wrong kind: null, or for the numbers a conversion; AsInt of a bool is 0 or 1.
  const Undefined* undefined() const { return std::get_if<Undefined>(&state_); }
  std::optional<Int> AsInt() const;  // bool and int
  double AsDouble() const;           // numbers
  std::string_view text() const;     // empty when no string
  bool markup() const;               // a string that `safe` or `escape` made
  List* list() const { return Get<List*>(); }
  Dict* dict() const { return Get<Dict*>(); }
  Object* object() const { return Get<Object*>(); }
  bool boolean() const { return std::holds_alternative<bool>(state_) && std::get<bool>(state_); }
  size_t kind() const { return state_.index(); }  // orders the kinds

 private:
  template <class T>
  T Get() const {
    const T* found = std::get_if<T>(&state_);
    return found == nullptr ? nullptr : *found;
  }

  std::variant<Undefined, None, bool, Int, double, std::shared_ptr<const Text>, List*, Dict*, Object*> state_;
};

// What a heap owns.
class HeapItem {
 public:
  HeapItem() = default;
  HeapItem(const HeapItem&) = delete;
  HeapItem& operator=(const HeapItem&) = delete;
  virtual ~HeapItem() = default;
};

// Which of Python's sequences a list stands for.
enum class Shape : uint8_t { kList, kTuple, kRange, kKeys, kValues, kItems, kIterator };

struct List final : HeapItem {
  explicit List(Shape its_shape) : shape(its_shape) {}
  std::vector<Value> items;
  Shape shape;
};

// What Python can hash, as far as we do: None, bool, int, float and str.
bool IsKey(const Value& value);

struct KeyLess {
  using is_transparent = void;
  bool operator()(const Value& a, const Value& b) const;
};
// Equal as keys: 1, 1.0 and True are one key, as in Python.
bool KeyEqual(const Value& a, const Value& b);

// A dict in order of insertion. Keys must pass IsKey.
class Dict final : public HeapItem {
 public:
  using Entry = std::pair<Value, Value>;
  const std::vector<Entry>& entries() const { return entries_; }
  Value* Find(const Value& key);
  Value* Find(std::string_view key);
  void Set(const Value& key, Value value);
  bool Erase(const Value& key);
  void Clear();

 private:
  std::optional<size_t> Index(const Value& key) const;

  std::vector<Entry> entries_;
  std::map<Value, size_t, KeyLess> index_;  // empty while the dict is small
};

// A value with behaviour. Attribute gives nullopt when there is none of that name.
class Object : public HeapItem {
 public:
  virtual std::string_view type_name() const = 0;
  virtual Result<std::optional<Value>> Attribute(Runtime& runtime, const std::string& name);
  virtual bool callable() const { return false; }
  virtual Result<Value> Call(Runtime& runtime, CallArgs args);
};

// Owns what one rendering makes, and counts it. Values must not outlive their heap.
class Heap {
 public:
  Value NewText(std::string text, bool markup = false);
  List* NewList(Shape shape = Shape::kList);
  Value NewList(std::vector<Value> items, Shape shape = Shape::kList);
  Dict* NewDict();
  // Takes the object; the pointer stays valid as long as the heap.
  template <class T, class... Args>
  T* New(Args&&... args) {
    auto item = std::make_unique<T>(std::forward<Args>(args)...);
    T* pointer = item.get();
    Adopt(std::move(item), sizeof(T));
    return pointer;
  }
  void Count(size_t bytes) { meter_.bytes += bytes; }  // for what lists and dicts grow by
  void Discount(size_t bytes) { meter_.bytes -= bytes; }
  size_t used() const { return meter_.bytes; }

 private:
  void Adopt(std::unique_ptr<HeapItem> item, size_t bytes);

  Meter meter_;  // destroyed last: strings give back to it
  std::vector<std::unique_ptr<HeapItem>> items_;
};

// The arguments of a call, as the template gave them.
struct CallArgs {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// Python's name of the value's type, for messages: "str", "int", "NoneType" ...
std::string_view TypeName(const Value& value);

bool Truth(const Value& value);

}  // namespace atelier::text::jinja

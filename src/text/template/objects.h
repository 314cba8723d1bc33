// Values with behaviour of their own, apart from macros and loops.
#pragma once

#include <string>
#include <vector>

#include "text/template/native.h"
#include "text/template/runtime.h"
#include "text/template/value.h"

namespace atelier::text::jinja {

// A function as a value: a method that knows what it is called on, or a global function.
Value BindNative(Runtime& runtime, const Native& function, const Value& self);

// What `namespace(...)` makes: attributes that `set` may change from any scope.
class Namespace final : public Object {
 public:
  std::string_view type_name() const override { return "Namespace"; }
  Result<std::optional<Value>> Attribute(Runtime& runtime, const std::string& name) override;
  void Set(Runtime& runtime, const Value& name, Value value);

 private:
  Dict attributes_;
};

// Gives its values in turn.
class Cycler final : public Object {
 public:
  explicit Cycler(std::vector<Value> values) : values_(std::move(values)) {}
  std::string_view type_name() const override { return "Cycler"; }
  Result<std::optional<Value>> Attribute(Runtime& runtime, const std::string& name) override;
  const Value& current() const { return values_[next_ % values_.size()]; }
  Value Next() { return values_[next_++ % values_.size()]; }
  void Reset() { next_ = 0; }

 private:
  std::vector<Value> values_;  // not empty
  size_t next_ = 0;
};

// Gives nothing when it is called for the first time, and its separator from then on.
class Joiner final : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}
  std::string_view type_name() const override { return "Joiner"; }
  bool callable() const override { return true; }
  Result<Value> Call(Runtime& runtime, CallArgs args) override;

 private:
  Value separator_;
  bool used_ = false;
};

}  // namespace atelier::text::jinja

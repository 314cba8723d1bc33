// The `loop` variable of a for block.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "text/template/runtime.h"
#include "text/template/value.h"

namespace atelier::text::jinja {

// Filters its items one by one, as late as it can: a condition may look at what the body has changed.
class Loop final : public Object {
 public:
  struct Source {
    std::vector<Value> items;
    std::function<Result<bool>(const Value&)> condition;  // may be empty
    std::function<Result<Value>(const Value&)> recurse;   // of a recursive loop: runs it on the argument
    int depth = 1;
  };
  explicit Loop(Source source) : source_(std::move(source)) {}

  std::string_view type_name() const override { return "LoopContext"; }
  // index, index0, first, last, length, revindex, revindex0, previtem, nextitem, depth, depth0, cycle, changed.
  Result<std::optional<Value>> Attribute(Runtime& runtime, const std::string& name) override;
  bool callable() const override { return static_cast<bool>(source_.recurse); }
  Result<Value> Call(Runtime& runtime, CallArgs args) override;

  // Moves to the next item, at first to the first one; false at the end.
  Result<bool> Advance();
  const Value& current() const { return passed_[position_]; }
  // Gives back the memory of the items; the loop is over, but a template may have kept the object.
  void Finish();
  size_t index0() const { return position_; }
  // Whether the values differ from those of the last call.
  Result<bool> Changed(Runtime& runtime, const std::vector<Value>& values);

 private:
  Value At(size_t index) const { return index < passed_.size() ? passed_[index] : Value(); }

  // Filters until there are `count` items behind the filter; false when there are fewer.
  Result<bool> Fill(size_t count);

  Source source_;
  size_t read_ = 0;            // of the source's items
  std::vector<Value> passed_;  // those behind the filter so far
  size_t position_ = 0;
  bool started_ = false;
  bool finished_ = false;
  size_t length_ = 0;  // once it is finished
  std::optional<std::vector<Value>> last_changed_;
};

}  // namespace atelier::text::jinja

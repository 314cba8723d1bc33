#include "text/template/loop.h"

#include <algorithm>
#include <limits>

#include "text/template/objects.h"
#include "text/template/operations.h"

namespace atelier::text::jinja {
namespace {

Result<Value> CycleMethod(Runtime& /*runtime*/, const Value& self, const CallArgs& args) {
  if (args.positional.empty()) {
    return TemplateError("no items for cycling given");
  }
  return args.positional[static_cast<const Loop*>(self.object())->index0() % args.positional.size()];
}

Result<Value> ChangedMethod(Runtime& runtime, const Value& self, const CallArgs& args) {
  ATELIER_ASSIGN(changed, static_cast<Loop*>(self.object())->Changed(runtime, args.positional));
  return Value(changed);
}

constexpr Native kCycle{"cycle", CycleMethod, 0, {}, true};
constexpr Native kChanged{"changed", ChangedMethod, 0, {}, true};

}  // namespace

void Loop::Finish() {
  length_ = passed_.size();
  finished_ = true;
  passed_ = {};
  source_.items = {};
}

Result<bool> Loop::Fill(size_t count) {
  if (finished_) {
    return length_ >= count;
  }
  while (passed_.size() < count && read_ < source_.items.size()) {
    const Value item = source_.items[read_++];
    if (source_.condition) {
      ATELIER_ASSIGN(fits, source_.condition(item));
      if (!fits) {
        continue;
      }
    }
    passed_.push_back(item);
  }
  return passed_.size() >= count;
}

Result<bool> Loop::Advance() {
  const size_t next = started_ ? position_ + 1 : 0;
  ATELIER_ASSIGN(there, Fill(next + 1));
  if (there) {
    position_ = next;
    started_ = true;
  }
  return there;
}

Result<bool> Loop::Changed(Runtime& runtime, const std::vector<Value>& values) {
  bool same = last_changed_.has_value() && last_changed_->size() == values.size();
  for (size_t i = 0; same && i < values.size(); ++i) {
    ATELIER_ASSIGN(equal, Equal(runtime, (*last_changed_)[i], values[i]));
    same = equal;
  }
  last_changed_ = values;
  return !same;
}

Result<std::optional<Value>> Loop::Attribute(Runtime& runtime, const std::string& name) {
  const auto some = [](Value value) { return std::optional(std::move(value)); };
  if (name == "index" || name == "index0") {
    return some(Value::Size(position_ + (name == "index" ? 1 : 0)));
  }
  if (name == "first") {
    return some(Value(position_ == 0));
  }
  if (name == "last") {
    ATELIER_ASSIGN(more, Fill(position_ + 2));
    return some(Value(!more));
  }
  if (name == "length" || name == "revindex" || name == "revindex0") {
    ATELIER_TRY(Fill(std::numeric_limits<size_t>::max()));
    const size_t before = name == "length" ? 0 : name == "revindex" ? position_ : position_ + 1;
    const size_t length = finished_ ? length_ : passed_.size();
    return some(Value::Size(length - std::min(before, length)));
  }
  if (name == "previtem") {
    return some(position_ == 0 ? Value() : At(position_ - 1));
  }
  if (name == "nextitem") {
    ATELIER_ASSIGN(more, Fill(position_ + 2));
    return some(more ? At(position_ + 1) : Value());
  }
  if (name == "depth" || name == "depth0") {
    return some(Value(static_cast<Int>(source_.depth - (name == "depth" ? 0 : 1))));
  }
  if (name == "cycle" || name == "changed") {
    return some(BindNative(runtime, name == "cycle" ? kCycle : kChanged, Value(static_cast<Object*>(this))));
  }
  return std::optional<Value>();
}

Result<Value> Loop::Call(Runtime& /*runtime*/, CallArgs args) {
  if (!source_.recurse || args.positional.size() != 1) {
    return TemplateError("a recursive loop takes one argument");
  }
  return source_.recurse(args.positional.front());
}

}  // namespace atelier::text::jinja

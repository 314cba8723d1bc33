#include "text/template/runtime.h"

#include <algorithm>

namespace atelier::text::jinja {
namespace {

constexpr int kMaxDepth = 400;  // what a stack of 8 MiB surely holds, sanitizers included

}  // namespace

Error TemplateError(const std::string& message) { return InvalidArgument(message, "", "template_error"); }

Error Runtime::LimitError(const std::string& what) {
  return InvalidArgument("the chat template is too expensive: " + what, "", "template_limit");
}

Status Runtime::Step(size_t cost) {
  steps_ += cost;
  if (steps_ > limits_.max_steps) {
    return LimitError("it takes more than " + std::to_string(limits_.max_steps) + " steps");
  }
  if (heap_.used() > limits_.max_memory_bytes) {
    return LimitError("it holds more than " + std::to_string(limits_.max_memory_bytes) + " bytes");
  }
  return {};
}

Status Runtime::Descend() {
  if (depth_ >= std::min(limits_.max_depth, kMaxDepth)) {
    return LimitError("it is nested too deep");
  }
  ++depth_;
  return {};
}

Result<Value> Runtime::Call(const Value& callee, CallArgs args) {
  if (Object* object = callee.object(); object != nullptr && object->callable()) {
    const DepthGuard guard(*this);
    ATELIER_TRY(guard.status());
    return object->Call(*this, std::move(args));
  }
  if (const Undefined* undefined = callee.undefined()) {
    return TemplateError((undefined->name == nullptr ? "the value" : "'" + *undefined->name + "'") +
                         std::string(" is undefined"));
  }
  return TemplateError("'" + std::string(TypeName(callee)) + "' object is not callable");
}

Status TextBuilder::Add(std::string_view text) {
  if (text.size() > runtime_.limits().max_output_bytes - std::min(text_.size(), runtime_.limits().max_output_bytes)) {
    return Runtime::LimitError("a text has more than " + std::to_string(runtime_.limits().max_output_bytes) + " bytes");
  }
  text_ += text;
  counted_ += text.size();
  runtime_.heap().Count(text.size());
  return runtime_.Step(text.size() / 64);
}

Status TextBuilder::AddRepeated(std::string_view text, size_t times) {
  if (text.empty()) {
    return {};
  }
  // Too much is refused before the first byte.
  if (times > runtime_.limits().max_output_bytes / text.size()) {
    return Runtime::LimitError("a text has more than " + std::to_string(runtime_.limits().max_output_bytes) + " bytes");
  }
  for (size_t i = 0; i < times; ++i) {
    ATELIER_TRY(Add(text));
  }
  return runtime_.StepBytes(times);
}

}  // namespace atelier::text::jinja

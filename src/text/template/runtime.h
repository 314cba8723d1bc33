// The state of one rendering that everything built in shares: the heap, the budget, and how errors are made. Used by
// one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "text/template/chat_template.h"
#include "text/template/value.h"

namespace atelier::text::jinja {

// kInvalidArgument "template_error".
Error TemplateError(const std::string& message);

class Runtime {
 public:
  explicit Runtime(const RenderLimits& limits) : limits_(limits) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  Heap& heap() { return heap_; }
  const RenderLimits& limits() const { return limits_; }

  // Pays for work: one step is about one node of the tree, one item of a list, or 64 bytes of text. Errors:
  // kInvalidArgument "template_limit" when the steps are used up or the heap is full. Whoever loops pays.
  Status Step(size_t cost = 1);
  Status StepBytes(size_t bytes) { return Step(1 + bytes / 64); }
  // For a search, which may compare the needle at every place of the text.
  Status StepSearch(std::string_view text, std::string_view needle) {
    return Step(1 + (text.size() / 64 + 1) * (needle.size() / 64 + 1));
  }

  // One level of recursion deeper; an error when that is too deep. Every Descend that succeeded is undone by an Ascend.
  Status Descend();
  void Ascend() { --depth_; }

  // Calls a macro, method or function; kInvalidArgument "template_error" when the value is none.
  Result<Value> Call(const Value& callee, CallArgs args);

  // The line that errors name; and whether the template raised the error itself, with a message that is its own.
  void set_line(int line) { line_ = line; }
  int line() const { return line_; }
  void set_raised() { raised_ = true; }
  bool raised() const { return raised_; }

  static Error LimitError(const std::string& what);

 private:
  const RenderLimits limits_;
  Heap heap_;
  uint64_t steps_ = 0;
  int depth_ = 0;
  int line_ = 0;
  bool raised_ = false;
};

// Descends for as long as it lives, if status() is ok.
class DepthGuard {
 public:
  explicit DepthGuard(Runtime& runtime) : runtime_(runtime), status_(runtime.Descend()) {}
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;
  ~DepthGuard() {
    if (status_.ok()) {
      runtime_.Ascend();
    }
  }
  const Status& status() const { return status_; }

 private:
  Runtime& runtime_;
  Status status_;
};

// Builds a string within the limits of a rendering; pays for it.
class TextBuilder {
 public:
  explicit TextBuilder(Runtime& runtime) : runtime_(runtime) {}
  TextBuilder(const TextBuilder&) = delete;
  TextBuilder& operator=(const TextBuilder&) = delete;
  ~TextBuilder() { runtime_.heap().Discount(counted_); }

  Runtime& runtime() { return runtime_; }
  Status Add(std::string_view text);
  Status AddRepeated(std::string_view text, size_t times);
  const std::string& text() const { return text_; }
  Value Finish(bool markup = false) { return runtime_.heap().NewText(std::move(text_), markup); }
  std::string Take() { return std::move(text_); }

 private:
  Runtime& runtime_;
  std::string text_;
  size_t counted_ = 0;  // that the heap knows of
};

}  // namespace atelier::text::jinja

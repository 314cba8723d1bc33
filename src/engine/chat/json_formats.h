// Formats whose calls are JSON objects.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/chat/literal.h"
#include "engine/chat/object_reader.h"

namespace atelier::engine::chat {

// Hermes and Qwen: an object, then </tool_call>.
class HermesReader final : public CallReader {
 public:
  Progress Step(char byte, CallSink& sink) override;

 private:
  ObjectReader object_{ObjectRules{}};
  bool complete_ = false;
  Literal end_;
};

// Llama 3: objects with semicolons or white space between them. Only what looks like a call is one, because nothing
// need announce it.
class Llama3Reader final : public CallReader {
 public:
  explicit Llama3Reader(std::vector<std::string> names) : rules_{true, std::move(names)}, object_(rules_) {}
  Progress Step(char byte, CallSink& sink) override;

 private:
  ObjectRules rules_;
  ObjectReader object_;
  bool between_ = false;  // behind an object
  bool separated_ = false;
};

// Mistral: an array of objects, one object, or a name and its arguments.
class MistralReader final : public CallReader {
 public:
  Progress Step(char byte, CallSink& sink) override;

 private:
  enum class Place { kBegin, kElement, kAfterElement, kObject, kName, kTag, kCallId, kArguments };

  Progress Begin(char byte, CallSink& sink);
  Progress AfterElement(char byte, CallSink& sink);
  Progress Name(char byte, CallSink& sink);
  Progress Tag(char byte);
  Progress CallId(char byte);
  Progress Arguments(char byte, CallSink& sink);

  Place place_ = Place::kBegin;
  std::optional<ObjectReader> object_;
  bool separated_ = false;  // a comma was read
  std::string name_;
  size_t id_bytes_ = 0;
  Literal tag_;
  JsonScanner scanner_{false};
};

}  // namespace atelier::engine::chat

#include "engine/chat/json_formats.h"

#include <string_view>

namespace atelier::engine::chat {
namespace {

constexpr size_t kMaxCallIdBytes = 64;

bool IsNameByte(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
         byte == '-' || byte == '.';
}

}  // namespace

Progress HermesReader::Step(char byte, CallSink& sink) {
  if (!complete_) {
    const Progress progress = object_.Step(byte, sink);
    complete_ = progress == Progress::kDone;
    return complete_ ? Progress::kMore : progress;
  }
  const Match match = end_.Step(byte, {"</tool_call>"});
  if (match == Match::kFound) {
    sink.Commit();
    return Progress::kDone;
  }
  return match == Match::kMore ? Progress::kMore : Progress::kFailed;
}

Progress Llama3Reader::Step(char byte, CallSink& sink) {
  if (between_) {
    if (IsSpace(byte)) {
      return Progress::kMore;
    }
    if (byte == ';' && !separated_) {
      separated_ = true;
      return Progress::kMore;
    }
    between_ = false;
    object_ = ObjectReader(rules_);
  }
  const Progress progress = object_.Step(byte, sink);
  if (progress == Progress::kDone) {
    between_ = true;
    separated_ = false;
    return Progress::kMore;
  }
  return progress;
}

Progress MistralReader::Begin(char byte, CallSink& sink) {
  if (IsSpace(byte)) {
    return Progress::kMore;
  }
  if (byte == '[') {
    place_ = Place::kElement;
    object_.emplace(ObjectRules{});
    return Progress::kMore;
  }
  if (byte == '{') {
    place_ = Place::kObject;
    object_.emplace(ObjectRules{});
    return object_->Step(byte, sink);
  }
  place_ = Place::kName;
  return Name(byte, sink);
}

Progress MistralReader::AfterElement(char byte, CallSink& sink) {
  if (IsSpace(byte)) {
    return Progress::kMore;
  }
  if (byte == ']' && !separated_) {
    sink.Commit();
    return Progress::kDone;
  }
  if (byte == ',' && !separated_) {
    separated_ = true;
    return Progress::kMore;
  }
  if (byte == '{' && separated_) {
    place_ = Place::kElement;
    object_.emplace(ObjectRules{});
    return object_->Step(byte, sink);
  }
  return Progress::kFailed;
}

Progress MistralReader::Name(char byte, CallSink& sink) {
  if (IsNameByte(byte) && name_.size() < kMaxNameBytes) {
    name_.push_back(byte);
    return Progress::kMore;
  }
  if (name_.empty()) {
    return Progress::kFailed;
  }
  if (byte == '[') {
    place_ = Place::kTag;
    return Tag(byte);
  }
  place_ = Place::kArguments;
  return Arguments(byte, sink);
}

Progress MistralReader::Tag(char byte) {
  const Match match = tag_.Step(byte, {"[ARGS]", "[CALL_ID]"});
  if (match == Match::kFound) {
    place_ = tag_.text() == "[ARGS]" ? Place::kArguments : Place::kCallId;
    tag_.Reset();
  }
  return match == Match::kFailed ? Progress::kFailed : Progress::kMore;
}

Progress MistralReader::CallId(char byte) {
  if (byte == '[') {
    place_ = Place::kTag;
    return Tag(byte);
  }
  return IsNameByte(byte) && ++id_bytes_ <= kMaxCallIdBytes ? Progress::kMore : Progress::kFailed;
}

Progress MistralReader::Arguments(char byte, CallSink& sink) {
  if (!scanner_.started()) {
    if (byte != '{') {
      return IsSpace(byte) ? Progress::kMore : Progress::kFailed;
    }
    sink.Start(name_);
  }
  const JsonScanner::State state = scanner_.Step(byte);
  if (state == JsonScanner::State::kFailed) {
    return Progress::kFailed;
  }
  sink.Arguments(std::string_view(&byte, 1));
  sink.Commit();
  return state == JsonScanner::State::kDone ? Progress::kDone : Progress::kMore;
}

Progress MistralReader::Step(char byte, CallSink& sink) {
  switch (place_) {
    case Place::kBegin:
      return Begin(byte, sink);
    case Place::kElement: {
      const Progress progress = object_->Step(byte, sink);
      if (progress != Progress::kDone) {
        return progress;
      }
      place_ = Place::kAfterElement;
      separated_ = false;
      return Progress::kMore;
    }
    case Place::kAfterElement:
      return AfterElement(byte, sink);
    case Place::kObject:
      return object_->Step(byte, sink);
    case Place::kName:
      return Name(byte, sink);
    case Place::kTag:
      return Tag(byte);
    case Place::kCallId:
      return CallId(byte);
    case Place::kArguments:
      return Arguments(byte, sink);
  }
  return Progress::kFailed;
}

}  // namespace atelier::engine::chat

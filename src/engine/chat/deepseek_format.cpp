#include "engine/chat/deepseek_format.h"

namespace atelier::engine::chat {
namespace {

constexpr std::string_view kFence = "```";
constexpr std::string_view kOpeningFence = "```json";

void Trim(std::string& text) {
  while (!text.empty() && IsSpace(text.back())) {
    text.pop_back();
  }
  size_t start = 0;
  while (start < text.size() && IsSpace(text[start])) {
    ++start;
  }
  text.erase(0, start);
}

}  // namespace

Progress DeepSeekReader::List(char byte, CallSink& sink) {
  const Match match = literal_.Step(byte, {kDeepSeekCallBegin, kDeepSeekCallsEnd});
  if (match != Match::kFound) {
    return match == Match::kMore ? Progress::kMore : Progress::kFailed;
  }
  if (literal_.text() == kDeepSeekCallsEnd) {
    sink.Commit();
    return Progress::kDone;
  }
  literal_.Reset();
  text_.clear();
  scanner_ = JsonScanner(false);
  fence_closed_ = false;
  place_ = Place::kHead;
  return Progress::kMore;
}

Progress DeepSeekReader::Head(char byte) {
  text_.push_back(byte);
  if (text_.ends_with(kDeepSeekSeparator)) {
    text_.resize(text_.size() - kDeepSeekSeparator.size());
    Trim(text_);
    place_ = Place::kAfterSeparator;
    return Progress::kMore;
  }
  return text_.size() <= kMaxNameBytes + kDeepSeekSeparator.size() ? Progress::kMore : Progress::kFailed;
}

Progress DeepSeekReader::AfterSeparator(char byte, CallSink& sink) {
  if (IsSpace(byte)) {
    return Progress::kMore;
  }
  if (byte == '{') {  // what stood before the separator was the name
    place_ = Place::kArguments;
    return Arguments(byte, sink);
  }
  if (text_ != "function") {
    return Progress::kFailed;
  }
  text_.clear();
  place_ = Place::kName;
  return Name(byte);
}

Progress DeepSeekReader::Name(char byte) {
  if (byte == '\n') {
    Trim(text_);
    place_ = Place::kFence;
    return Progress::kMore;
  }
  text_.push_back(byte);
  return text_.size() <= kMaxNameBytes ? Progress::kMore : Progress::kFailed;
}

Progress DeepSeekReader::Fence(char byte) {
  const Match match = literal_.Step(byte, {kOpeningFence});
  if (match == Match::kFound) {
    literal_.Reset();
    place_ = Place::kObject;
  }
  return match == Match::kFailed ? Progress::kFailed : Progress::kMore;
}

Progress DeepSeekReader::Object(char byte, CallSink& sink) {
  if (IsSpace(byte)) {
    return Progress::kMore;
  }
  place_ = Place::kArguments;
  return byte == '{' ? Arguments(byte, sink) : Progress::kFailed;
}

Progress DeepSeekReader::Arguments(char byte, CallSink& sink) {
  if (!scanner_.started()) {
    if (!IsToolName(text_)) {
      return Progress::kFailed;
    }
    sink.Start(text_);
  }
  const JsonScanner::State state = scanner_.Step(byte);
  if (state == JsonScanner::State::kFailed) {
    return Progress::kFailed;
  }
  sink.Arguments(std::string_view(&byte, 1));
  sink.Commit();
  if (state == JsonScanner::State::kDone) {
    place_ = Place::kTail;
  }
  return Progress::kMore;
}

Progress DeepSeekReader::Tail(char byte, CallSink& sink) {
  const Match match =
      fence_closed_ ? literal_.Step(byte, {kDeepSeekCallEnd}) : literal_.Step(byte, {kFence, kDeepSeekCallEnd});
  if (match != Match::kFound) {
    return match == Match::kMore ? Progress::kMore : Progress::kFailed;
  }
  if (literal_.text() == kFence) {
    fence_closed_ = true;
  } else {
    sink.Commit();
    place_ = Place::kList;
  }
  literal_.Reset();
  return Progress::kMore;
}

Progress DeepSeekReader::Step(char byte, CallSink& sink) {
  switch (place_) {
    case Place::kList:
      return List(byte, sink);
    case Place::kHead:
      return Head(byte);
    case Place::kAfterSeparator:
      return AfterSeparator(byte, sink);
    case Place::kName:
      return Name(byte);
    case Place::kFence:
      return Fence(byte);
    case Place::kObject:
      return Object(byte, sink);
    case Place::kArguments:
      return Arguments(byte, sink);
    case Place::kTail:
      return Tail(byte, sink);
  }
  return Progress::kFailed;
}

}  // namespace atelier::engine::chat

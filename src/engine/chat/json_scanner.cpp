#include "engine/chat/json_scanner.h"

#include <string_view>

namespace atelier::engine::chat {
namespace {

constexpr std::string_view kOutsideStrings = " \t\r\n,:+-.0123456789Eaeflnrstu";  // with the words true, false, null

bool IsWordByte(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '+' ||
         byte == '-' || byte == '.';
}

}  // namespace

JsonScanner::State JsonScanner::Begin(char byte) {
  if (byte == '{' || byte == '[') {
    brackets_.push_back(byte);
    mode_ = Mode::kNested;
  } else if (byte == '"') {
    mode_ = Mode::kString;
  } else if (byte == '-' || (byte >= '0' && byte <= '9') || byte == 't' || byte == 'f' || byte == 'n') {
    mode_ = Mode::kWord;
  } else {
    return State::kFailed;
  }
  return State::kMore;
}

JsonScanner::State JsonScanner::Nested(char byte) {
  if (byte == '"') {
    mode_ = Mode::kString;
  } else if (byte == '{' || byte == '[') {
    if (brackets_.size() >= kMaxArgumentDepth) {
      return State::kFailed;
    }
    brackets_.push_back(byte);
  } else if (byte == '}' || byte == ']') {
    if (brackets_.back() != (byte == '}' ? '{' : '[')) {
      return State::kFailed;
    }
    brackets_.pop_back();
    return brackets_.empty() ? State::kDone : State::kMore;
  } else if (strict_ && kOutsideStrings.find(byte) == std::string_view::npos) {
    return State::kFailed;
  }
  return State::kMore;
}

JsonScanner::State JsonScanner::String(char byte) {
  if (escaped_) {
    escaped_ = false;
  } else if (byte == '\\') {
    escaped_ = true;
  } else if (byte == '"') {
    mode_ = Mode::kNested;
    return brackets_.empty() ? State::kDone : State::kMore;
  }
  return State::kMore;
}

JsonScanner::State JsonScanner::Step(char byte) {
  switch (mode_) {
    case Mode::kStart:
      return Begin(byte);
    case Mode::kNested:
      return Nested(byte);
    case Mode::kString:
      return String(byte);
    case Mode::kWord:
      return IsWordByte(byte) ? State::kMore : State::kDoneBefore;
  }
  return State::kFailed;
}

}  // namespace atelier::engine::chat

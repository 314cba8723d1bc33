#include "engine/chat/object_reader.h"

#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "base/json.h"
#include "engine/chat/text_gate.h"

namespace atelier::engine::chat {
namespace {

constexpr size_t kMaxKeyBytes = 256;

// The text that a JSON string with its quotes stands for.
std::optional<std::string> Unquote(const std::string& quoted) {
  if (quoted.size() < 2 || quoted.front() != '"') {
    return std::nullopt;
  }
  const auto value = ParseJson(quoted);
  if (!value.ok() || !value->is_string()) {
    return std::nullopt;
  }
  return std::string(value->as_string());
}

}  // namespace

bool IsToolName(std::string_view name) {
  const bool control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return !name.empty() && name.size() <= kMaxNameBytes && !control && IsUtf8(name);
}

void ObjectReader::Announce(CallSink& sink, std::string_view arguments) {
  announced_ = true;
  sink.Start(*name_);
  sink.Arguments(arguments);
}

bool ObjectReader::BeginMember(std::string_view key) {
  if (key == "name") {
    member_ = Member::kName;
    return !name_;
  }
  if (key == "arguments" || key == "parameters") {
    member_ = Member::kArguments;
    return !arguments_ && !announced_;
  }
  member_ = Member::kOther;
  return !rules_.unannounced || key == "type" || key == "id";
}

Progress ObjectReader::Key(char byte) {
  text_.push_back(byte);
  const JsonScanner::State state = scanner_.Step(byte);
  if (state == JsonScanner::State::kMore) {
    return text_.size() <= kMaxKeyBytes ? Progress::kMore : Progress::kFailed;
  }
  const auto key = Unquote(text_);
  place_ = Place::kColon;
  return key && BeginMember(*key) ? Progress::kMore : Progress::kFailed;
}

bool ObjectReader::SetArguments() {
  if (text_ == "null") {
    text_ = "{}";
  } else if (text_.front() == '"') {
    auto unpacked = Unquote(text_);
    if (!unpacked) {
      return false;
    }
    text_ = std::move(*unpacked);
    const auto first = std::find_if_not(text_.begin(), text_.end(), IsSpace);
    if (first == text_.end()) {
      text_ = "{}";
    } else if (*first != '{') {
      return false;
    }
  } else if (text_.front() != '{') {
    return false;
  }
  arguments_ = std::exchange(text_, "");
  return true;
}

bool ObjectReader::EndMember(CallSink& sink) {
  place_ = Place::kAfterValue;
  if (std::exchange(streaming_, false) || member_ == Member::kOther) {
    return true;
  }
  if (member_ == Member::kName) {
    name_ = Unquote(text_);
    const auto& names = rules_.names;
    const bool wanted =
        !rules_.unannounced || names.empty() || (name_ && std::find(names.begin(), names.end(), *name_) != names.end());
    if (!name_ || !IsToolName(*name_) || !wanted) {
      return false;
    }
  } else if (!SetArguments()) {
    return false;
  }
  if (name_ && arguments_) {
    Announce(sink, *arguments_);
    sink.Commit();
  }
  return true;
}

Progress ObjectReader::Value(char byte, CallSink& sink) {
  if (!scanner_.started()) {
    if (IsSpace(byte)) {
      return Progress::kMore;
    }
    if (member_ == Member::kArguments && name_ && byte == '{') {
      streaming_ = true;
      scanner_ = JsonScanner(false);
      Announce(sink, "");
    }
  }
  const JsonScanner::State state = scanner_.Step(byte);
  if (state == JsonScanner::State::kFailed) {
    return Progress::kFailed;
  }
  if (state == JsonScanner::State::kDoneBefore) {
    return EndMember(sink) ? AfterValue(byte, sink) : Progress::kFailed;
  }
  if (streaming_) {
    sink.Arguments(std::string_view(&byte, 1));
    sink.Commit();
  } else if (member_ != Member::kOther) {
    text_.push_back(byte);
  }
  const bool fine = state == JsonScanner::State::kMore || EndMember(sink);
  return fine ? Progress::kMore : Progress::kFailed;
}

Progress ObjectReader::AfterValue(char byte, CallSink& sink) {
  if (IsSpace(byte)) {
    return Progress::kMore;
  }
  if (byte == ',') {
    place_ = Place::kNextKey;
    return Progress::kMore;
  }
  if (byte != '}' || !name_ || (rules_.unannounced && !announced_)) {
    return Progress::kFailed;
  }
  if (!announced_) {
    Announce(sink, "{}");
  }
  sink.Commit();
  return Progress::kDone;
}

Progress ObjectReader::Step(char byte, CallSink& sink) {
  switch (place_) {
    case Place::kOpen:
      if (byte == '{') {
        place_ = Place::kFirstKey;
      }
      return byte == '{' || IsSpace(byte) ? Progress::kMore : Progress::kFailed;
    case Place::kFirstKey:
    case Place::kNextKey:
      if (byte == '"') {
        place_ = Place::kKey;
        scanner_ = JsonScanner(true);
        text_.clear();
        return Key(byte);
      }
      return IsSpace(byte) ? Progress::kMore : Progress::kFailed;
    case Place::kKey:
      return Key(byte);
    case Place::kColon:
      if (byte == ':') {
        place_ = Place::kValue;
        scanner_ = JsonScanner(true);
        text_.clear();
      }
      return byte == ':' || IsSpace(byte) ? Progress::kMore : Progress::kFailed;
    case Place::kValue:
      return Value(byte, sink);
    case Place::kAfterValue:
      return AfterValue(byte, sink);
  }
  return Progress::kFailed;
}

}  // namespace atelier::engine::chat

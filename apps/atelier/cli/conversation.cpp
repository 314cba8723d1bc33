#include "atelier/cli/conversation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

constexpr std::array<std::string_view, 5> kOwnFields{"model", "messages", "stream", "stream_options", "n"};

std::string RoleOf(const json::value& message) { return GetString(message.as_object(), "role"); }

bool IsMessage(const json::value& value) {
  const auto* message = value.if_object();
  const auto* content = message == nullptr ? nullptr : message->if_contains("content");
  return content != nullptr && !GetString(*message, "role").empty();
}

}  // namespace

Status Conversation::Set(const std::string& key, json::value value) {
  if (std::ranges::find(kOwnFields, key) != kOwnFields.end()) {
    return Usage("'" + key + "' cannot be set");
  }
  if (value.is_null()) {
    settings_.erase(key);
  } else {
    settings_[key] = std::move(value);
  }
  return {};
}

void Conversation::Ask(std::string_view text) {
  messages_.push_back(json::object{{"role", "user"}, {"content", text}});
}

void Conversation::Withdraw() {
  if (!messages_.empty() && RoleOf(messages_.back()) == "user") {
    messages_.pop_back();
  }
}

bool Conversation::TakeBackAnswer() {
  size_t left = messages_.size();
  while (left > 0 && RoleOf(messages_[left - 1]) != "user") {
    --left;
  }
  if (left == 0) {
    return false;
  }
  messages_.resize(left);
  return true;
}

json::object Conversation::Request() const {
  json::object body = settings_;
  body["model"] = model_;
  json::array messages;
  if (!system_.empty()) {
    messages.push_back(json::object{{"role", "system"}, {"content", system_}});
  }
  messages.insert(messages.end(), messages_.begin(), messages_.end());
  body["messages"] = std::move(messages);
  return body;
}

json::object Conversation::Saved() const {
  return {{"model", model_}, {"system", system_}, {"messages", messages_}, {"settings", settings_}};
}

Status Conversation::Restore(const json::value& saved) {
  const auto* object = saved.if_object();
  const auto* list = object == nullptr ? &saved : object->if_contains("messages");
  const auto* messages = list == nullptr ? nullptr : list->if_array();
  if (messages == nullptr || !std::ranges::all_of(*messages, IsMessage)) {
    return Usage("the file holds no conversation: a list of messages with role and content");
  }
  if (object != nullptr) {
    const auto* settings = object->if_contains("settings");
    if (settings != nullptr && !settings->is_object()) {
      return Usage("the file's settings are no object");
    }
    if (settings != nullptr) {
      settings_ = settings->get_object();
    }
    system_ = GetString(*object, "system");
  }
  messages_ = *messages;
  return {};
}

}  // namespace atelier::cli

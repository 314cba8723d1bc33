#include "data/formats/tuning_row.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace atelier::data {
namespace {

constexpr size_t kMaxMessages = 10'000;
constexpr size_t kMaxTextBytes = size_t{8} << 20U;
constexpr size_t kMaxWordBytes = 1024;
constexpr std::string_view kShapes =
    "a row is {\"messages\": [...]}, {\"prompt\": ..., \"completion\": ...} or {\"text\": ...}";
constexpr std::string_view kPreferenceShape =
    "a row of preferences is {\"input\": {\"messages\": [...]}, \"preferred_output\": [...], "
    "\"non_preferred_output\": [...]}";

Error Wrong(const std::string& path, const std::string& what) {
  return InvalidArgument("'" + path + "' " + what, path, "invalid_jsonl");
}

bool IsAnswer(const json::object& message) { return GetString(message, "role") == "assistant"; }

Result<std::string> RoleOf(Fields& fields) {
  constexpr std::array<std::string_view, 5> kRoles{"system", "developer", "user", "assistant", "tool"};
  ATELIER_ASSIGN(role, fields.String("role", kMaxWordBytes));
  if (std::ranges::find(kRoles, role) == kRoles.end()) {
    return Wrong(fields.Path("role"), "must be system, developer, user, assistant or tool");
  }
  return role == "developer" ? std::string("system") : role;
}

// The texts of content parts.
Result<std::string> JoinParts(const json::array& parts, const std::string& path) {
  std::string text;
  for (const auto& part : parts) {
    if (!part.is_object() || GetString(part.get_object(), "type") != "text") {
      return Wrong(path, "may have parts of the type text only");
    }
    Fields fields(part.get_object(), path);
    ATELIER_TRY(fields.String("type"));
    ATELIER_ASSIGN(piece, fields.String("text", kMaxTextBytes));
    ATELIER_TRY(fields.RejectUnknown());
    text += piece;
  }
  return text;
}

Result<std::string> ContentOf(const json::object& message, Fields& fields) {
  const json::value* content = message.if_contains("content");
  if (content != nullptr && content->is_array()) {
    ATELIER_TRY(fields.ArrayOr("content", kMaxMessages));
    return JoinParts(content->get_array(), fields.Path("content"));
  }
  const bool may_lack = IsAnswer(message) && message.contains("tool_calls");
  return may_lack ? fields.StringOr("content", "", kMaxTextBytes) : fields.String("content", kMaxTextBytes);
}

Status CheckCalls(const json::array& calls, const std::string& path) {
  for (size_t i = 0; i < calls.size(); ++i) {
    const std::string place = path + "[" + std::to_string(i) + "]";
    const json::value* function = calls[i].is_object() ? calls[i].get_object().if_contains("function") : nullptr;
    if (function == nullptr || !function->is_object()) {
      return Wrong(place, "must be an object with a function");
    }
    Fields fields(function->get_object(), place + ".function");
    ATELIER_TRY(fields.String("name", kMaxWordBytes));
    ATELIER_TRY(fields.String("arguments", kMaxTextBytes));
  }
  return {};
}

// The message as it is kept.
Result<json::object> ReadMessage(const json::value& value, const std::string& path) {
  if (!value.is_object()) {
    return Wrong(path, "must be an object");
  }
  const json::object& message = value.get_object();
  Fields fields(message, path);
  ATELIER_ASSIGN(role, RoleOf(fields));
  ATELIER_ASSIGN(content, ContentOf(message, fields));
  ATELIER_TRY(fields.StringOr("refusal", "", kMaxTextBytes));
  json::object out{{"role", role}, {"content", content}};
  for (const char* key : {"name", "tool_call_id"}) {
    ATELIER_ASSIGN(text, fields.StringOr(key, "", kMaxWordBytes));
    if (!text.empty()) {
      out[key] = text;
    }
  }
  if (role == "assistant") {
    ATELIER_ASSIGN(weight, fields.IntOr("weight", 1, 0, 1));
    ATELIER_ASSIGN(calls, fields.ArrayOr("tool_calls", kMaxMessages));
    if (weight == 0) {
      out["weight"] = 0;
    }
    if (calls != nullptr) {
      ATELIER_TRY(CheckCalls(*calls, fields.Path("tool_calls")));
      out["tool_calls"] = *calls;
    }
  }
  ATELIER_TRY(fields.RejectUnknown());
  return out;
}

Result<json::array> ReadMessages(Fields& fields, std::string_view key) {
  const std::string path = fields.Path(key);
  ATELIER_ASSIGN(messages, fields.ArrayOr(key, kMaxMessages));
  if (messages == nullptr || messages->empty()) {
    return Wrong(path, "must be a list of at least one message");
  }
  json::array out;
  for (size_t i = 0; i < messages->size(); ++i) {
    ATELIER_ASSIGN(message, ReadMessage((*messages)[i], path + "[" + std::to_string(i) + "]"));
    out.push_back(std::move(message));
  }
  return out;
}

Result<std::string> TextOf(Fields& fields, std::string_view key) {
  ATELIER_ASSIGN(text, fields.String(key, kMaxTextBytes));
  return text.find_first_not_of(" \t\r\n") == std::string::npos
             ? Result<std::string>(Wrong(fields.Path(key), "is empty"))
             : std::move(text);
}

Result<TuningRow> ReadChat(Fields& fields) {
  ATELIER_ASSIGN(messages, ReadMessages(fields, "messages"));
  const bool learns = std::ranges::any_of(messages, [](const json::value& message) {
    return IsAnswer(message.get_object()) && GetInt(message.get_object(), "weight", 1) != 0;
  });
  if (!learns) {
    return Wrong(fields.Path("messages"), "has no answer of the assistant to learn");
  }
  ATELIER_ASSIGN(tools, fields.ArrayOr("tools", kMaxMessages));
  ATELIER_TRY(fields.BoolOr("parallel_tool_calls", true));
  return TuningRow{{"messages", json::serialize(messages)}, {"tools", tools == nullptr ? "" : json::serialize(*tools)}};
}

// What was asked: of OpenAI's shape, or of ours.
Result<std::string> ReadQuestion(const json::object& row, Fields& fields) {
  ATELIER_ASSIGN(input, row.contains("input") ? fields.ObjectOr("input") : Result<const json::object*>(nullptr));
  if (input != nullptr) {
    Fields inner(*input, "input");
    ATELIER_ASSIGN(messages, ReadMessages(inner, "messages"));
    ATELIER_TRY(inner.BoolOr("parallel_tool_calls", true));
    ATELIER_ASSIGN(tools, inner.ArrayOr("tools", kMaxMessages));
    if (tools != nullptr && !tools->empty()) {
      return Wrong("input.tools", "cannot be learnt from preferences here");
    }
    ATELIER_TRY(inner.RejectUnknown());
    return json::serialize(messages);
  }
  const json::value* prompt = row.if_contains("prompt");
  if (prompt == nullptr) {
    return Wrong("input", "is missing: " + std::string(kPreferenceShape));
  }
  if (prompt->is_string()) {
    return TextOf(fields, "prompt");
  }
  ATELIER_ASSIGN(messages, ReadMessages(fields, "prompt"));
  return json::serialize(messages);
}

Result<std::string> ReadAnswer(const json::object& row, Fields& fields, std::span<const std::string_view> names) {
  const auto key = std::ranges::find_if(names, [&](std::string_view name) { return row.contains(name); });
  if (key == names.end()) {
    return Wrong(std::string(names.front()), "is missing: " + std::string(kPreferenceShape));
  }
  if (row.at(*key).is_string()) {
    return TextOf(fields, *key);
  }
  ATELIER_ASSIGN(messages, ReadMessages(fields, *key));
  if (messages.size() != 1 || !IsAnswer(messages[0].get_object()) || messages[0].get_object().contains("weight")) {
    return Wrong(std::string(*key), "must be one message of the assistant");
  }
  return json::serialize(messages);
}

}  // namespace

Result<TuningRow> ReadTuningRow(const json::object& row) {
  Fields fields(row);
  TuningRow out;
  if (row.contains("messages")) {
    ATELIER_ASSIGN(chat, ReadChat(fields));
    out = std::move(chat);
  } else if (row.contains("completion")) {
    ATELIER_ASSIGN(prompt, fields.String("prompt", kMaxTextBytes));
    ATELIER_ASSIGN(completion, TextOf(fields, "completion"));
    out = {{"prompt", prompt}, {"completion", completion}};
  } else if (row.contains("text")) {
    ATELIER_ASSIGN(text, TextOf(fields, "text"));
    out = {{"text", text}};
  } else {
    return InvalidArgument(std::string(kShapes), "messages", "invalid_jsonl");
  }
  ATELIER_TRY(fields.RejectUnknown());
  return out;
}

Result<TuningRow> ReadPreferenceRow(const json::object& row) {
  constexpr std::array<std::string_view, 3> kBetter{"preferred_output", "preferred_completion", "chosen"};
  constexpr std::array<std::string_view, 3> kWorse{"non_preferred_output", "non_preferred_completion", "rejected"};
  Fields fields(row);
  ATELIER_ASSIGN(prompt, ReadQuestion(row, fields));
  ATELIER_ASSIGN(chosen, ReadAnswer(row, fields, kBetter));
  ATELIER_ASSIGN(rejected, ReadAnswer(row, fields, kWorse));
  ATELIER_TRY(fields.RejectUnknown());
  return TuningRow{{"prompt", prompt}, {"chosen", chosen}, {"rejected", rejected}};
}

}  // namespace atelier::data

#include "engine/chat/template_context.h"

#include <algorithm>
#include <string>
#include <utility>

namespace atelier::engine::chat {
namespace {

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Whether the source has a loop "for NAME in CONTENT", not just a test "X in CONTENT".
bool LoopsOver(std::string_view source, std::string_view content) {
  constexpr std::string_view kIn = " in ";
  const std::string wanted = std::string(kIn) + std::string(content);
  for (size_t at = source.find(wanted); at != std::string_view::npos; at = source.find(wanted, at + 1)) {
    const std::string_view before = source.substr(0, at);
    const size_t name = before.rfind(' ');  // the space before the name
    if (name != std::string_view::npos && before.substr(0, name).ends_with("for")) {
      return true;
    }
  }
  return false;
}

std::string At(const std::string& path, size_t index) { return path + "[" + std::to_string(index) + "]"; }

const json::string* StringAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr ? value->if_string() : nullptr;
}

// The text of one part of a message.
Result<std::string> TextOf(const json::value& part, const std::string& path) {
  const json::object* object = part.if_object();
  if (object == nullptr) {
    return InvalidArgument(path + " must be an object", path, "invalid_type");
  }
  const json::string* type = StringAt(*object, "type");
  if (type == nullptr) {
    return InvalidArgument(path + ".type must be a string", path + ".type", "invalid_type");
  }
  const bool refusal = *type == "refusal";
  if (!refusal && *type != "text" && *type != "input_text" && *type != "output_text") {
    return InvalidArgument("this model reads text only, not '" + std::string(*type) + "'", path + ".type",
                           "unsupported_value");
  }
  const std::string key = refusal ? "refusal" : "text";
  const json::string* text = StringAt(*object, key);
  if (text == nullptr) {
    return InvalidArgument(path + "." + key + " must be a string", path + "." + key, "invalid_type");
  }
  return std::string(*text);
}

Result<json::value> ContentOfParts(const json::array& parts, bool keep_parts, const std::string& path) {
  json::array kept;
  std::string joined;
  for (size_t i = 0; i < parts.size(); ++i) {
    ATELIER_ASSIGN(text, TextOf(parts[i], At(path, i)));
    if (keep_parts) {
      kept.push_back({{"type", "text"}, {"text", text}});
    } else {
      joined += (i > 0 ? "\n" : "") + text;
    }
  }
  return keep_parts ? json::value(std::move(kept)) : json::value(joined);
}

Status SetContent(json::object& message, const TemplateNeeds& needs, const std::string& path) {
  const bool calls = message.contains("tool_calls");
  json::value& content = message["content"];  // null, when there was none
  if (json::array* parts = content.if_array()) {
    const json::string* role = StringAt(message, "role");
    const bool keep_parts = needs.content_parts && *role != "tool";
    ATELIER_ASSIGN(flat, ContentOfParts(*parts, keep_parts, path));
    content = std::move(flat);
  } else if (!content.is_null() && !content.is_string()) {
    return InvalidArgument(path + " must be a string or an array", path, "invalid_type");
  }
  const json::string* text = content.if_string();
  if (content.is_null() || (text != nullptr && text->empty())) {
    content = calls && needs.null_content ? json::value(nullptr) : json::value("");
  }
  return {};
}

Status SetArguments(json::object& function, bool as_text, const std::string& path) {
  json::value& arguments = function["arguments"];
  if (const json::string* text = arguments.if_string()) {
    const bool blank = std::all_of(text->begin(), text->end(), [](char c) { return c == ' ' || c == '\n'; });
    auto parsed = blank ? Result<json::value>(json::object{}) : ParseJson(*text);
    if (!parsed.ok() || !parsed->is_object()) {
      return InvalidArgument(path + " must be the text of a JSON object", path);
    }
    if (!as_text || blank) {
      arguments = std::move(*parsed);
    }
  } else if (arguments.is_null()) {
    arguments = json::object{};
  } else if (!arguments.is_object()) {
    return InvalidArgument(path + " must be the text of a JSON object", path, "invalid_type");
  }
  if (as_text && arguments.is_object()) {
    arguments = json::serialize(arguments);
  }
  return {};
}

Status SetCalls(json::value& value, const TemplateNeeds& needs, const std::string& path) {
  json::array* calls = value.if_array();
  if (calls == nullptr) {
    return InvalidArgument(path + " must be an array", path, "invalid_type");
  }
  for (size_t i = 0; i < calls->size(); ++i) {
    json::object* call = (*calls)[i].if_object();
    json::value* function = call != nullptr ? call->if_contains("function") : nullptr;
    const std::string at = At(path, i) + ".function";
    if (function == nullptr || !function->is_object()) {
      return InvalidArgument(at + " must be an object", at, "invalid_type");
    }
    if (StringAt(function->as_object(), "name") == nullptr) {
      return InvalidArgument(at + ".name must be a string", at + ".name", "invalid_type");
    }
    ATELIER_TRY(SetArguments(function->as_object(), needs.text_arguments, at + ".arguments"));
  }
  return {};
}

void DropNulls(json::object& message) {
  json::object kept;
  for (auto& [key, value] : message) {
    const json::array* array = value.if_array();
    if (!value.is_null() && !(key == "tool_calls" && array != nullptr && array->empty())) {
      kept.emplace(key, std::move(value));
    }
  }
  message = std::move(kept);
}

Result<json::value> MessageOf(const json::value& given, const TemplateNeeds& needs, const std::string& path) {
  if (!given.is_object()) {
    return InvalidArgument(path + " must be an object", path, "invalid_type");
  }
  json::object message = given.as_object();
  DropNulls(message);
  const json::string* role = StringAt(message, "role");
  if (role == nullptr) {
    return InvalidArgument(path + ".role must be a string", path + ".role", "invalid_type");
  }
  if (*role == "developer" && !needs.developer_role) {
    message["role"] = "system";
  }
  if (json::value* calls = message.if_contains("tool_calls")) {
    ATELIER_TRY(SetCalls(*calls, needs, path + ".tool_calls"));
  }
  ATELIER_TRY(SetContent(message, needs, path + ".content"));
  return json::value(std::move(message));
}

}  // namespace

TemplateNeeds GuessTemplateNeeds(std::string_view source) {
  TemplateNeeds needs;
  for (const std::string_view content : {"message.content", "message['content']", "message[\"content\"]"}) {
    needs.content_parts |= LoopsOver(source, content);
    needs.null_content |= Has(source, std::string(content) + " is none");
  }
  for (const std::string_view arguments : {".arguments + ", "['arguments'] + ", "[\"arguments\"] + "}) {
    needs.text_arguments |= Has(source, arguments);
  }
  needs.developer_role = Has(source, "developer");
  return needs;
}

Result<json::object> BuildTemplateContext(const TemplateRequest& request, const TemplateNeeds& needs) {
  json::object context = request.variables != nullptr ? *request.variables : json::object{};
  json::array messages;
  messages.reserve(request.messages.size());
  for (size_t i = 0; i < request.messages.size(); ++i) {
    ATELIER_ASSIGN(message, MessageOf(request.messages[i], needs, At("messages", i)));
    messages.push_back(std::move(message));
  }
  context["messages"] = std::move(messages);
  context.erase("tools");
  if (request.tools != nullptr && !request.tools->empty()) {
    context["tools"] = *request.tools;
  }
  context["add_generation_prompt"] = request.add_generation_prompt;
  return context;
}

}  // namespace atelier::engine::chat

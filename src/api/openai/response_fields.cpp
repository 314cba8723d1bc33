#include "api/openai/response_fields.h"

#include <string>
#include <utility>

#include "api/openai/chat_fields.h"

namespace atelier::api::openai {
namespace {

constexpr size_t kMaxWordBytes = 256;
constexpr size_t kMaxTextBytes = 8U << 20U;

std::string At(std::string_view path, size_t index) { return std::string(path) + "[" + std::to_string(index) + "]"; }

// A string, or parts that are text.
Result<std::string> PartsText(const json::value* value, const std::string& path) {
  if (value != nullptr && value->is_string()) {
    return std::string(value->get_string());
  }
  const auto* parts = value == nullptr ? nullptr : value->if_array();
  if (parts == nullptr) {
    return InvalidArgument("'" + path + "' must be a string or a list of parts", path);
  }
  std::string text;
  for (size_t i = 0; i < parts->size(); ++i) {
    const std::string at = At(path, i);
    const auto* part = (*parts)[i].if_object();
    if (part == nullptr) {
      return InvalidArgument("'" + at + "' must be an object", at);
    }
    Fields fields(*part, at);
    ATELIER_ASSIGN(type, fields.String("type", kMaxWordBytes));
    const bool refusal = type == "refusal";
    if (!refusal && type != "input_text" && type != "output_text" && type != "text" && type != "reasoning_text") {
      return InvalidArgument("this model reads text only, not '" + type + "'", at + ".type", "unsupported_value");
    }
    ATELIER_ASSIGN(piece, fields.String(refusal ? "refusal" : "text", kMaxTextBytes));
    text += (i == 0 ? "" : "\n") + piece;
  }
  return text;
}

// Puts items together to messages: reasoning and calls belong to the assistant's message beside them.
class Conversation {
 public:
  explicit Conversation(json::array& messages) : messages_(messages) {}

  Status Add(const json::value& value, const std::string& path) {
    if (!value.is_object()) {
      return InvalidArgument("'" + path + "' must be an object", path);
    }
    const json::object& item = value.get_object();
    Fields fields(item, path);
    ATELIER_ASSIGN(type, fields.StringOr("type", "message", kMaxWordBytes));
    if (type == "message") {
      return AddMessage(fields, item, path);
    }
    if (type == "function_call") {
      return AddCall(fields);
    }
    if (type == "function_call_output") {
      ATELIER_ASSIGN(id, fields.String("call_id", kMaxWordBytes));
      ATELIER_ASSIGN(text, PartsText(item.if_contains("output"), path + ".output"));
      messages_.push_back({{"role", "tool"}, {"tool_call_id", id}, {"content", text}});
      return {};
    }
    if (type == "reasoning") {
      const auto* content = item.if_contains("content");
      if (content != nullptr && content->is_array()) {
        ATELIER_ASSIGN(text, PartsText(content, path + ".content"));
        reasoning_ = std::move(text);
      }
      return {};
    }
    return InvalidArgument("items of the type '" + type + "' are not supported", path + ".type", "unsupported_value");
  }

 private:
  Status AddMessage(Fields& fields, const json::object& item, const std::string& path) {
    ATELIER_ASSIGN(role, fields.String("role", kMaxWordBytes));
    if (role != "user" && role != "assistant" && role != "system" && role != "developer") {
      return InvalidArgument("'" + path + ".role' must be user, assistant, system or developer", path + ".role");
    }
    ATELIER_ASSIGN(text, PartsText(item.if_contains("content"), path + ".content"));
    json::object message{{"role", role}, {"content", text}};
    if (role == "assistant") {
      TakeReasoning(message);
    }
    messages_.push_back(std::move(message));
    return {};
  }
  Status AddCall(Fields& fields) {
    ATELIER_ASSIGN(id, fields.String("call_id", kMaxWordBytes));
    ATELIER_ASSIGN(name, fields.String("name", kMaxWordBytes));
    ATELIER_ASSIGN(arguments, fields.StringOr("arguments", "{}", kMaxTextBytes));
    const bool joins = !messages_.empty() && messages_.back().at("role") == "assistant";
    if (!joins) {
      json::object message{{"role", "assistant"}, {"content", nullptr}};
      TakeReasoning(message);
      messages_.push_back(std::move(message));
    }
    json::object& message = messages_.back().get_object();
    if (!message.contains("tool_calls")) {
      message["tool_calls"] = json::array();
    }
    message["tool_calls"].get_array().push_back(
        {{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}});
    return {};
  }
  void TakeReasoning(json::object& message) {
    if (!reasoning_.empty()) {
      message["reasoning_content"] = std::exchange(reasoning_, {});
    }
  }

  json::array& messages_;
  std::string reasoning_;
};

// Tools are flat here: {"type": "function", "name", ...}.
Result<json::array> NestedTools(const json::array& tools, const std::string& path) {
  json::array nested;
  for (size_t i = 0; i < tools.size(); ++i) {
    const std::string at = At(path, i);
    const auto* tool = tools[i].if_object();
    if (tool == nullptr) {
      return InvalidArgument("'" + at + "' must be an object", at);
    }
    Fields fields(*tool, at);
    ATELIER_ASSIGN(type, fields.String("type", kMaxWordBytes));
    if (type != "function") {
      return InvalidArgument("only tools of the type function are supported", at + ".type", "unsupported_value");
    }
    ATELIER_TRY(fields.String("name", kMaxWordBytes));
    json::object function = *tool;
    function.erase("type");
    nested.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  return nested;
}

Result<json::value> NestedChoice(const json::value& choice) {
  const auto* object = choice.if_object();
  if (object == nullptr) {
    return choice;
  }
  Fields fields(*object, "tool_choice");
  ATELIER_ASSIGN(type, fields.String("type", kMaxWordBytes));
  if (type == "function") {
    ATELIER_ASSIGN(name, fields.String("name", kMaxWordBytes));
    return json::value{{"type", "function"}, {"function", {{"name", name}}}};
  }
  if (type != "allowed_tools") {
    return InvalidArgument("'tool_choice.type' must be function or allowed_tools", "tool_choice.type",
                           "unsupported_value");
  }
  ATELIER_ASSIGN(mode, fields.String("mode", kMaxWordBytes));
  ATELIER_ASSIGN(names, fields.ArrayOr("tools", kMaxTools));
  ATELIER_ASSIGN(nested, NestedTools(names == nullptr ? json::array() : *names, "tool_choice.tools"));
  json::object allowed{{"mode", mode}, {"tools", std::move(nested)}};
  return json::value{{"type", "allowed_tools"}, {"allowed_tools", std::move(allowed)}};
}

}  // namespace

Status ReadInput(const json::object& body, json::array& messages) {
  const auto* input = body.if_contains("input");
  if (input == nullptr || input->is_null()) {
    return InvalidArgument("'input' is missing: a string or a list of items", "input", "missing_required_parameter");
  }
  if (input->is_string()) {
    messages.push_back({{"role", "user"}, {"content", *input}});
    return {};
  }
  const auto* items = input->if_array();
  if (items == nullptr || items->empty() || items->size() > kMaxMessages) {
    return InvalidArgument("'input' must be a string or a list of 1 to " + std::to_string(kMaxMessages) + " items",
                           "input");
  }
  Conversation conversation(messages);
  for (size_t i = 0; i < items->size(); ++i) {
    ATELIER_TRY(conversation.Add((*items)[i], At("input", i)));
  }
  return {};
}

Result<engine::ChatPrompt> ReadResponseChat(Fields& fields, const json::object& body, const json::array& messages) {
  json::object chat;
  json::array all;
  ATELIER_ASSIGN(instructions, fields.StringOr("instructions", "", kMaxTextBytes));
  if (!instructions.empty()) {
    all.push_back({{"role", "system"}, {"content", instructions}});
  }
  all.insert(all.end(), messages.begin(), messages.end());
  chat["messages"] = std::move(all);
  ATELIER_ASSIGN(tools, fields.ArrayOr("tools", kMaxTools));
  if (tools != nullptr) {
    ATELIER_ASSIGN(nested, NestedTools(*tools, "tools"));
    chat["tools"] = std::move(nested);
  }
  if (const auto* choice = body.if_contains("tool_choice"); choice != nullptr) {
    ATELIER_ASSIGN(nested, NestedChoice(*choice));
    chat["tool_choice"] = std::move(nested);
  }
  ATELIER_ASSIGN(reasoning, fields.ObjectOr("reasoning"));
  if (reasoning != nullptr && reasoning->contains("effort")) {
    chat["reasoning_effort"] = reasoning->at("effort");
  }
  if (const auto* variables = body.if_contains("chat_template_kwargs"); variables != nullptr) {
    chat["chat_template_kwargs"] = *variables;
  }
  Fields inner(chat);
  return ReadChat(inner, chat);
}

}  // namespace atelier::api::openai

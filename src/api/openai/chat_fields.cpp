#include "api/openai/chat_fields.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace atelier::api::openai {
namespace {

constexpr std::array<std::string_view, 6> kRoles{"system", "developer", "user", "assistant", "tool", "function"};
constexpr std::array<std::string_view, 7> kEfforts{"none", "minimal", "low", "medium", "high", "xhigh", "max"};
constexpr std::array<std::string_view, 3> kToolChoices{"none", "auto", "required"};
constexpr size_t kMaxWordBytes = 64;
constexpr size_t kMaxTextBytes = 8U << 20U;

template <class List>
bool Has(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string At(std::string_view path, size_t index) { return std::string(path) + "[" + std::to_string(index) + "]"; }

Status CheckMessage(const json::value& value, const std::string& path) {
  if (!value.is_object()) {
    return InvalidArgument("'" + path + "' must be an object", path);
  }
  Fields fields(value.get_object(), path);
  ATELIER_ASSIGN(role, fields.String("role", kMaxWordBytes));
  if (!Has(kRoles, role)) {
    return InvalidArgument("'" + path + ".role' must be system, developer, user, assistant or tool", path + ".role");
  }
  const bool calls = value.get_object().contains("tool_calls") || value.get_object().contains("function_call");
  if (!fields.Has("content") && !(role == "assistant" && calls)) {
    return InvalidArgument("'" + path + ".content' is missing: a string or a list of parts", path + ".content",
                           "missing_required_parameter");
  }
  if (role == "tool") {
    ATELIER_TRY(fields.StringOr("tool_call_id", ""));
  }
  return {};
}

Result<std::string> ReadMessages(Fields& fields) {
  ATELIER_ASSIGN(messages, fields.ArrayOr("messages", kMaxMessages));
  if (messages == nullptr) {
    return InvalidArgument("'messages' is missing: a list of messages", "messages", "missing_required_parameter");
  }
  if (messages->empty()) {
    return InvalidArgument("'messages' must have at least one message", "messages");
  }
  for (size_t i = 0; i < messages->size(); ++i) {
    ATELIER_TRY(CheckMessage((*messages)[i], At("messages", i)));
  }
  return json::serialize(*messages);
}

Result<std::string> ToolName(const json::value& value, const std::string& path) {
  if (!value.is_object()) {
    return InvalidArgument("'" + path + "' must be an object", path);
  }
  Fields fields(value.get_object(), path);
  ATELIER_ASSIGN(type, fields.StringOr("type", "function", kMaxWordBytes));
  if (type != "function") {
    return InvalidArgument("only tools of the type function are supported", path + ".type", "unsupported_value");
  }
  ATELIER_ASSIGN(function, fields.ObjectOr("function"));
  if (function == nullptr) {
    return InvalidArgument("'" + path + ".function' is missing: an object", path + ".function",
                           "missing_required_parameter");
  }
  Fields inner(*function, path + ".function");
  ATELIER_TRY(inner.ObjectOr("parameters"));
  ATELIER_TRY(inner.StringOr("description", ""));
  return inner.String("name", kMaxWordBytes);
}

// Leaves the tools whose names are in `allowed`.
Result<json::array> Allowed(const json::array& tools, const json::array& allowed, const std::string& path) {
  std::vector<std::string> names;
  for (size_t i = 0; i < allowed.size(); ++i) {
    ATELIER_ASSIGN(name, ToolName(allowed[i], At(path, i)));
    names.push_back(std::move(name));
  }
  json::array left;
  for (const auto& tool : tools) {
    if (Has(names, tool.at("function").at("name").as_string())) {
      left.push_back(tool);
    }
  }
  return left;
}

// An object of tool_choice: a tool by name, or tools that are allowed.
Result<std::string> ChoiceObject(const json::object& choice, json::array& tools) {
  Fields fields(choice, "tool_choice");
  ATELIER_ASSIGN(type, fields.String("type", kMaxWordBytes));
  if (type == "function") {
    ATELIER_ASSIGN(name, ToolName(choice, "tool_choice"));
    return "name:" + name;
  }
  if (type != "allowed_tools") {
    return InvalidArgument("'tool_choice.type' must be function or allowed_tools", "tool_choice.type");
  }
  ATELIER_ASSIGN(allowed, fields.ObjectOr("allowed_tools"));
  if (allowed == nullptr) {
    return InvalidArgument("'tool_choice.allowed_tools' is missing: an object", "tool_choice.allowed_tools");
  }
  Fields inner(*allowed, "tool_choice.allowed_tools");
  ATELIER_ASSIGN(mode, inner.String("mode", kMaxWordBytes));
  ATELIER_ASSIGN(names, inner.ArrayOr("tools", kMaxTools));
  if ((mode != "auto" && mode != "required") || names == nullptr) {
    return InvalidArgument("'tool_choice.allowed_tools' needs a mode, auto or required, and tools",
                           "tool_choice.allowed_tools");
  }
  ATELIER_ASSIGN(left, Allowed(tools, *names, "tool_choice.allowed_tools.tools"));
  tools = std::move(left);
  return mode;
}

Status ReadTools(Fields& fields, const json::object& body, engine::ChatPrompt& prompt) {
  ATELIER_ASSIGN(given, fields.ArrayOr("tools", kMaxTools));
  json::array tools;
  if (given != nullptr) {
    tools = *given;
    for (size_t i = 0; i < tools.size(); ++i) {
      ATELIER_TRY(ToolName(tools[i], At("tools", i)));
    }
  }
  const auto* choice = body.if_contains("tool_choice");
  if (choice != nullptr && choice->is_object()) {
    ATELIER_ASSIGN(name, ChoiceObject(choice->get_object(), tools));
    prompt.tool_choice = std::move(name);
  } else {
    ATELIER_ASSIGN(word, fields.StringOr("tool_choice", "auto", kMaxWordBytes));
    if (!Has(kToolChoices, word)) {
      return InvalidArgument("'tool_choice' must be none, auto, required or an object", "tool_choice");
    }
    prompt.tool_choice = std::move(word);
  }
  if (tools.empty()) {
    if (prompt.tool_choice != "auto" && prompt.tool_choice != "none") {
      return InvalidArgument("'tool_choice' is only taken with 'tools'", "tool_choice");
    }
    prompt.tool_choice.clear();
    return {};
  }
  ATELIER_TRY(fields.BoolOr("parallel_tool_calls", true));
  prompt.tools = json::serialize(tools);
  return {};
}

Status ReadVariables(Fields& fields, engine::ChatPrompt& prompt) {
  ATELIER_ASSIGN(given, fields.ObjectOr("chat_template_kwargs"));
  json::object variables = given == nullptr ? json::object() : *given;
  ATELIER_ASSIGN(effort, fields.StringOr("reasoning_effort", "", kMaxWordBytes));
  if (!effort.empty()) {
    if (!Has(kEfforts, effort)) {
      return InvalidArgument("'reasoning_effort' must be none, minimal, low, medium, high, xhigh or max",
                             "reasoning_effort");
    }
    variables.emplace("reasoning_effort", effort);
    if (effort == "none") {
      variables.emplace("enable_thinking", false);
    }
  }
  if (!variables.empty()) {
    prompt.template_kwargs = json::serialize(variables);
  }
  return {};
}

}  // namespace

Result<engine::ChatPrompt> ReadChat(Fields& fields, const json::object& body) {
  engine::ChatPrompt prompt;
  ATELIER_ASSIGN(messages, ReadMessages(fields));
  prompt.messages = std::move(messages);
  ATELIER_TRY(ReadTools(fields, body, prompt));
  ATELIER_TRY(ReadVariables(fields, prompt));
  ATELIER_ASSIGN(continues, fields.BoolOr("continue_final_message", false));
  ATELIER_ASSIGN(generates, fields.BoolOr("add_generation_prompt", !continues));
  if (continues && generates) {
    return InvalidArgument("'add_generation_prompt' and 'continue_final_message' exclude each other",
                           "continue_final_message");
  }
  prompt.continue_final_message = continues;
  prompt.add_generation_prompt = generates;
  return prompt;
}

Result<std::string> ReadPrediction(Fields& fields) {
  ATELIER_ASSIGN(prediction, fields.ObjectOr("prediction"));
  if (prediction == nullptr) {
    return std::string();
  }
  Fields inner(*prediction, "prediction");
  ATELIER_ASSIGN(type, inner.String("type", kMaxWordBytes));
  if (type != "content") {
    return InvalidArgument("'prediction.type' must be content", "prediction.type");
  }
  const auto* parts = prediction->if_contains("content");
  if (parts == nullptr || !parts->is_array()) {
    return inner.String("content", kMaxTextBytes);
  }
  std::string text;
  for (size_t i = 0; i < parts->get_array().size(); ++i) {
    const std::string path = At("prediction.content", i);
    const auto* part = parts->get_array()[i].if_object();
    if (part == nullptr || GetString(*part, "type") != "text") {
      return InvalidArgument("'" + path + "' must be a part of the type text", path);
    }
    ATELIER_ASSIGN(piece, Fields(*part, path).String("text", kMaxTextBytes));
    text += piece;
  }
  return text;
}

}  // namespace atelier::api::openai

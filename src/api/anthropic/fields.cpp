#include "api/anthropic/fields.h"

#include <utility>

namespace atelier::api::anthropic {
namespace {

constexpr size_t kMaxMessages = 10'000;
constexpr size_t kMaxBlocks = 10'000;
constexpr size_t kMaxTools = 128;
constexpr size_t kMaxWordBytes = 256;
constexpr size_t kMaxTextBytes = 8U << 20U;

std::string At(const std::string& path, size_t index) { return path + "[" + std::to_string(index) + "]"; }

Error WrongBlock(const std::string& type, const std::string& path) {
  return InvalidArgument("blocks of the type '" + type + "' are not supported here: this model reads text only",
                         path + ".type", "unsupported_value");
}

Result<std::string> TypeOf(const json::value& block, const std::string& path) {
  if (!block.is_object()) {
    return InvalidArgument("'" + path + "' must be an object", path);
  }
  Fields fields(block.get_object(), path);
  return fields.String("type", kMaxWordBytes);
}

// A string, or blocks of text joined by line feeds.
Result<std::string> TextOf(const json::value& value, const std::string& path) {
  if (value.is_string()) {
    return std::string(value.get_string());
  }
  if (!value.is_array()) {
    return InvalidArgument("'" + path + "' must be a string or a list of blocks", path);
  }
  std::string text;
  const auto& blocks = value.get_array();
  for (size_t i = 0; i < blocks.size(); ++i) {
    ATELIER_ASSIGN(type, TypeOf(blocks[i], At(path, i)));
    if (type != "text") {
      return WrongBlock(type, At(path, i));
    }
    Fields fields(blocks[i].get_object(), At(path, i));
    ATELIER_ASSIGN(piece, fields.String("text", kMaxTextBytes));
    text += (i == 0 ? "" : "\n") + piece;
  }
  return text;
}

std::string PlainId(std::string id) { return id.starts_with(kCallPrefix) ? id.substr(kCallPrefix.size()) : id; }

// What the blocks of one message come to.
struct Gathered {
  std::string text;
  bool has_text = false;
  std::string thinking;
  json::array calls;
  json::array results;  // messages of the role tool
};

Status AddResult(Fields& fields, const json::object& block, const std::string& path, Gathered& out) {
  ATELIER_ASSIGN(id, fields.String("tool_use_id", kMaxWordBytes));
  ATELIER_TRY(fields.BoolOr("is_error", false));
  const auto* content = block.if_contains("content");
  std::string text;
  if (content != nullptr && !content->is_null()) {
    ATELIER_ASSIGN(given, TextOf(*content, path + ".content"));
    text = std::move(given);
  }
  out.results.push_back({{"role", "tool"}, {"tool_call_id", PlainId(std::move(id))}, {"content", text}});
  return {};
}

Status AddCall(Fields& fields, Gathered& out) {
  ATELIER_ASSIGN(id, fields.String("id", kMaxWordBytes));
  ATELIER_ASSIGN(name, fields.String("name", kMaxWordBytes));
  ATELIER_ASSIGN(input, fields.ObjectOr("input"));
  json::object function{{"name", name}, {"arguments", input == nullptr ? json::object() : *input}};
  out.calls.push_back({{"id", PlainId(std::move(id))}, {"type", "function"}, {"function", std::move(function)}});
  return {};
}

Status AddBlock(const json::value& value, bool assistant, const std::string& path, Gathered& out) {
  ATELIER_ASSIGN(type, TypeOf(value, path));
  const json::object& block = value.get_object();
  Fields fields(block, path);
  if (type == "text") {
    ATELIER_ASSIGN(text, fields.String("text", kMaxTextBytes));
    out.text += (std::exchange(out.has_text, true) ? "\n" : "") + text;
    return {};
  }
  if (!assistant && type == "tool_result") {
    return AddResult(fields, block, path, out);
  }
  if (assistant && type == "tool_use") {
    return AddCall(fields, out);
  }
  if (assistant && type == "thinking") {
    ATELIER_ASSIGN(thinking, fields.String("thinking", kMaxTextBytes));
    out.thinking += thinking;
    return {};
  }
  if (assistant && type == "redacted_thinking") {
    return {};
  }
  return WrongBlock(type, path);
}

Status AddMessage(const json::value& value, const std::string& path, json::array& messages) {
  if (!value.is_object()) {
    return InvalidArgument("'" + path + "' must be an object", path);
  }
  Fields fields(value.get_object(), path);
  ATELIER_ASSIGN(role, fields.String("role", kMaxWordBytes));
  if (role != "user" && role != "assistant") {
    return InvalidArgument("'" + path + ".role' must be user or assistant", path + ".role");
  }
  const auto* content = value.get_object().if_contains("content");
  if (content != nullptr && content->is_string()) {
    messages.push_back({{"role", role}, {"content", *content}});
    return {};
  }
  ATELIER_ASSIGN(blocks, fields.ArrayOr("content", kMaxBlocks));
  if (blocks == nullptr) {
    return InvalidArgument("'" + path + ".content' is missing: a string or a list of blocks", path + ".content",
                           "missing_required_parameter");
  }
  Gathered gathered;
  for (size_t i = 0; i < blocks->size(); ++i) {
    ATELIER_TRY(AddBlock((*blocks)[i], role == "assistant", At(path + ".content", i), gathered));
  }
  for (auto& result : gathered.results) {
    messages.push_back(std::move(result));
  }
  json::object message{{"role", role}, {"content", gathered.text}};
  if (!gathered.thinking.empty()) {
    message["reasoning_content"] = gathered.thinking;
  }
  if (!gathered.calls.empty()) {
    message["tool_calls"] = std::move(gathered.calls);
  }
  if (gathered.has_text || gathered.results.empty()) {
    messages.push_back(std::move(message));
  }
  return {};
}

Result<json::value> ToolOf(const json::value& value, const std::string& path) {
  if (!value.is_object()) {
    return InvalidArgument("'" + path + "' must be an object", path);
  }
  Fields fields(value.get_object(), path);
  ATELIER_ASSIGN(type, fields.StringOr("type", "custom", kMaxWordBytes));
  if (type != "custom") {
    return InvalidArgument("only tools with an input_schema are supported", path + ".type", "unsupported_value");
  }
  ATELIER_ASSIGN(name, fields.String("name", kMaxWordBytes));
  ATELIER_ASSIGN(description, fields.StringOr("description", "", kMaxTextBytes));
  ATELIER_ASSIGN(schema, fields.ObjectOr("input_schema"));
  if (schema == nullptr) {
    return InvalidArgument("'" + path + ".input_schema' is missing: an object", path + ".input_schema",
                           "missing_required_parameter");
  }
  json::object function{{"name", name}, {"description", description}, {"parameters", *schema}};
  return json::value{{"type", "function"}, {"function", std::move(function)}};
}

Result<std::string> ToolChoice(Fields& fields) {
  ATELIER_ASSIGN(choice, fields.ObjectOr("tool_choice"));
  if (choice == nullptr) {
    return std::string("auto");
  }
  Fields inner(*choice, "tool_choice");
  ATELIER_ASSIGN(type, inner.String("type", kMaxWordBytes));
  if (type == "auto" || type == "none") {
    return type;
  }
  if (type == "any") {
    return std::string("required");
  }
  if (type != "tool") {
    return InvalidArgument("'tool_choice.type' must be auto, any, tool or none", "tool_choice.type");
  }
  ATELIER_ASSIGN(name, inner.String("name", kMaxWordBytes));
  return "name:" + name;
}

Status ReadTools(Fields& fields, engine::ChatPrompt& prompt) {
  ATELIER_ASSIGN(given, fields.ArrayOr("tools", kMaxTools));
  ATELIER_ASSIGN(choice, ToolChoice(fields));
  if (given == nullptr || given->empty()) {
    if (choice != "auto" && choice != "none") {
      return InvalidArgument("'tool_choice' is only taken with 'tools'", "tool_choice");
    }
    return {};
  }
  json::array tools;
  for (size_t i = 0; i < given->size(); ++i) {
    ATELIER_ASSIGN(tool, ToolOf((*given)[i], At("tools", i)));
    tools.push_back(std::move(tool));
  }
  prompt.tools = json::serialize(tools);
  prompt.tool_choice = std::move(choice);
  return {};
}

Status ReadThinking(Fields& fields, json::object& variables) {
  ATELIER_ASSIGN(thinking, fields.ObjectOr("thinking"));
  if (thinking == nullptr) {
    return {};
  }
  Fields inner(*thinking, "thinking");
  ATELIER_ASSIGN(type, inner.String("type", kMaxWordBytes));
  if (type != "enabled" && type != "disabled" && type != "adaptive") {
    return InvalidArgument("'thinking.type' must be enabled, adaptive or disabled", "thinking.type");
  }
  ATELIER_TRY(inner.IntOr("budget_tokens", 1024, 1, INT32_MAX));
  variables["enable_thinking"] = type != "disabled";
  return {};
}

Status ReadEffort(Fields& fields, json::object& variables) {
  ATELIER_ASSIGN(config, fields.ObjectOr("output_config"));
  if (config == nullptr) {
    return {};
  }
  ATELIER_ASSIGN(effort, Fields(*config, "output_config").StringOr("effort", "", kMaxWordBytes));
  if (!effort.empty()) {
    variables["reasoning_effort"] = effort;
  }
  return {};
}

}  // namespace

Result<engine::ChatPrompt> ReadConversation(Fields& fields, const json::object& body) {
  engine::ChatPrompt prompt;
  json::array messages;
  const auto* system = body.if_contains("system");
  if (system != nullptr && !system->is_null()) {
    ATELIER_ASSIGN(text, TextOf(*system, "system"));
    if (!text.empty()) {
      messages.push_back({{"role", "system"}, {"content", text}});
    }
  }
  ATELIER_ASSIGN(given, fields.ArrayOr("messages", kMaxMessages));
  if (given == nullptr || given->empty()) {
    return InvalidArgument("'messages' must be a list with at least one message", "messages",
                           given == nullptr ? "missing_required_parameter" : "invalid_value");
  }
  for (size_t i = 0; i < given->size(); ++i) {
    ATELIER_TRY(AddMessage((*given)[i], At("messages", i), messages));
  }
  // A last message of the assistant is the beginning of the answer.
  prompt.continue_final_message = messages.back().at("role") == "assistant";
  prompt.add_generation_prompt = !prompt.continue_final_message;
  prompt.messages = json::serialize(messages);
  ATELIER_TRY(ReadTools(fields, prompt));
  json::object variables;
  ATELIER_TRY(ReadThinking(fields, variables));
  ATELIER_TRY(ReadEffort(fields, variables));
  if (!variables.empty()) {
    prompt.template_kwargs = json::serialize(variables);
  }
  return prompt;
}

}  // namespace atelier::api::anthropic

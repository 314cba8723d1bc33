#include "engine/chat/tool_choice.h"

#include "engine/chat/deepseek_format.h"
#include "engine/chat/object_reader.h"

namespace atelier::engine::chat {
namespace {

std::string Quoted(std::string_view text) { return json::serialize(json::value(text)); }

// {"name": "f", "arguments": up to the arguments.
std::string ObjectHead(std::string_view name, std::string_view arguments_key) {
  return R"({"name": )" + Quoted(name) + ", " + Quoted(arguments_key) + ": ";
}

// Prefix and suffix.
std::pair<std::string, std::string> Surroundings(ToolFormat format, const std::string& name) {
  const std::string begin = std::string(kDeepSeekCallsBegin) + std::string(kDeepSeekCallBegin);
  const std::string end = std::string(kDeepSeekCallEnd) + std::string(kDeepSeekCallsEnd);
  const std::string separator(kDeepSeekSeparator);
  switch (format) {
    case ToolFormat::kNone:
      break;
    case ToolFormat::kHermes:
      return {"<tool_call>\n" + ObjectHead(name, "arguments"), "}\n</tool_call>"};
    case ToolFormat::kLlama3:
      return {ObjectHead(name, "parameters"), "}"};
    case ToolFormat::kMistral:
      return {"[TOOL_CALLS][" + ObjectHead(name, "arguments"), "}]"};
    case ToolFormat::kMistralArgs:
      return {"[TOOL_CALLS]" + name + "[ARGS]", ""};
    case ToolFormat::kDeepSeek:
      return {begin + "function" + separator + name + "\n```json\n", "\n```" + end};
    case ToolFormat::kDeepSeekPlain:
      return {begin + name + separator, end};
  }
  return {};
}

json::object SchemaOf(const ToolSpec& tool) {
  json::object schema = tool.parameters;
  if (!schema.contains("type")) {
    schema["type"] = "object";  // arguments are always an object
  }
  return schema;
}

}  // namespace

Result<std::vector<ForcedCall>> ForceToolCall(ToolFormat format, const std::vector<ToolSpec>& tools,
                                              std::optional<std::string_view> name) {
  if (format == ToolFormat::kNone) {
    return InvalidArgument("this model has no format for tool calls", "tool_choice", "unsupported_value");
  }
  if (tools.empty()) {
    return InvalidArgument("tool_choice demands a call, but there are no tools", "tools");
  }
  std::vector<ForcedCall> calls;
  for (const ToolSpec& tool : tools) {
    if (!IsToolName(tool.name)) {
      return InvalidArgument("a tool's name must have 1 to 256 bytes of UTF-8 without control characters", "tools");
    }
    if (!name || *name == tool.name) {
      auto [prefix, suffix] = Surroundings(format, tool.name);
      calls.push_back({tool.name, std::move(prefix), SchemaOf(tool), std::move(suffix)});
    }
  }
  if (calls.empty()) {
    return InvalidArgument("tool_choice names the tool '" + std::string(*name) + "', which is not among the tools",
                           "tool_choice");
  }
  return calls;
}

}  // namespace atelier::engine::chat

// What an answer must look like when the request demands a tool call (tool_choice "required", or a tool by name).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/chat/formats.h"

namespace atelier::engine::chat {

struct ToolSpec {
  std::string name;
  json::object parameters;  // JSON Schema of the arguments; empty: an object without members
};

// One way in which the answer may go: `prefix`, then a JSON text that satisfies `schema`, then `suffix`, then the end.
// The parser of the same format reads the whole as one call of the tool.
struct ForcedCall {
  std::string tool;
  std::string prefix;
  json::object schema;
  std::string suffix;
};

// A grammar takes one of the alternatives: one for each tool, or the one for the tool called `name`. The schema is that
// of the arguments alone; the name stands in the prefix. Where a model thinks first, this holds behind its reasoning.
// Errors: kInvalidArgument on "tool_choice" (a name that no tool has, a model without a tool format) or on "tools" (no
// tools, a name that no tool may have).
Result<std::vector<ForcedCall>> ForceToolCall(ToolFormat format, const std::vector<ToolSpec>& tools,
                                              std::optional<std::string_view> name);

}  // namespace atelier::engine::chat

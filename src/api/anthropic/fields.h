// Requests of Anthropic's Messages API.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "engine/generation.h"

namespace atelier::api::anthropic {

// system, messages, tools, tool_choice and thinking, turned into OpenAI's shape. Errors: kInvalidArgument on the field.
Result<engine::ChatPrompt> ReadConversation(Fields& fields, const json::object& body);

// Ids of tool calls begin so.
inline constexpr std::string_view kCallPrefix = "toolu_";

}  // namespace atelier::api::anthropic

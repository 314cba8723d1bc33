// Requests of /v1/responses.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "engine/generation.h"

namespace atelier::api::openai {

// "input", a text or items, as messages of a conversation; appended to `messages`. Errors: kInvalidArgument.
Status ReadInput(const json::object& body, json::array& messages);

// The conversation that a model renders: instructions, messages, tools, tool_choice, reasoning. Errors:
// kInvalidArgument on the field.
Result<engine::ChatPrompt> ReadResponseChat(Fields& fields, const json::object& body, const json::array& messages);

}  // namespace atelier::api::openai

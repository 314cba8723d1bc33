// What a conversation is made of, in OpenAI's shape.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "engine/generation.h"

namespace atelier::api::openai {

// messages, tools, tool_choice, chat_template_kwargs, reasoning_effort, add_generation_prompt, continue_final_message.
// The parts of messages are checked by the model's own template. Errors: kInvalidArgument on the field.
Result<engine::ChatPrompt> ReadChat(Fields& fields, const json::object& body);

// prediction.content, a string or parts of text; empty where there is none. Errors: kInvalidArgument on the field.
Result<std::string> ReadPrediction(Fields& fields);

inline constexpr size_t kMaxMessages = 10'000;
inline constexpr size_t kMaxTools = 128;

}  // namespace atelier::api::openai

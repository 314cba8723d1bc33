// Answers of /v1/chat/completions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/openai/shapes.h"
#include "api/text/run.h"

namespace atelier::api::openai {

// What was asked that shows in the answer.
struct ChatWish {
  Envelope envelope;
  std::string request_id;
  int32_t choices = 1;
  bool logprobs = false;
  bool prompt_logprobs = false;
  bool token_ids = false;
  bool include_usage = false;
  std::vector<int32_t> stop_tokens{};  // of the request
};

json::object ChatCompletion(const ChatWish& wish, const text::Answer& answer);
std::unique_ptr<text::StreamWriter> MakeChatStream(ChatWish wish);

// {"id", "type": "function", "function": {"name", "arguments"}}
json::object ToolCallObject(const text::ToolCall& call);

}  // namespace atelier::api::openai

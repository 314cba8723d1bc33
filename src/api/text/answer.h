// What a model generated, put together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/generation.h"

namespace atelier::api::text {

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text
};

struct Choice {
  std::string content;
  std::string reasoning;
  std::vector<ToolCall> calls;
  std::vector<engine::TokenInfo> logprobs;
  std::vector<int32_t> token_ids;
  engine::FinishReason finish = engine::FinishReason::kNone;
  std::string stop_text;
  std::optional<int32_t> stop_token;
};

// The answers to one prompt.
struct Answer {
  std::vector<Choice> choices;  // as many as were asked for
  std::vector<int32_t> prompt_tokens;
  std::vector<engine::TokenInfo> prompt_logprobs;
  engine::GenerationUsage usage;
};

// Adds one event; `answer` has its choices already, events of others are dropped.
void Add(engine::GenerationDelta delta, Answer& answer);

// All of them together; times are the longest.
engine::GenerationUsage Sum(const std::vector<engine::GenerationUsage>& usages);

}  // namespace atelier::api::text

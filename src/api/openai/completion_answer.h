// Answers of /v1/completions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/openai/shapes.h"
#include "api/text/run.h"

namespace atelier::api::openai {

// What was asked that shows in the answer.
struct CompletionWish {
  Envelope envelope;
  std::string request_id;
  size_t prompts = 1;
  int32_t choices = 1;  // of each prompt
  bool logprobs = false;
  bool echo = false;
  bool prompt_logprobs = false;
  bool token_ids = false;
  bool include_usage = false;
  std::vector<int32_t> stop_tokens{};  // of the request
};

json::object Completion(const CompletionWish& wish, const std::vector<text::Answer>& answers);
std::unique_ptr<text::StreamWriter> MakeCompletionStream(CompletionWish wish);

}  // namespace atelier::api::openai

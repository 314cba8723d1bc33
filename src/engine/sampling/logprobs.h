// Log probabilities of the model's own distribution: log softmax of the logits as they come, before any option.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace atelier::engine {

inline constexpr float kLeastLogprob = -9999;  // reported for anything less, -infinity too, which JSON has no word for

struct TokenLogprob {
  int32_t token = 0;
  float logprob = 0;
};

struct Logprobs {
  TokenLogprob chosen;
  int32_t rank = 1;               // of the chosen token, from 1: one more than how many are likelier
  std::vector<TokenLogprob> top;  // likeliest first
};

// Of `token` and the `top` likeliest. Serves prompts (echo, prompt_logprobs), too. Errors: kInternal "invalid_logits"
// (NaN, +infinity, none finite), kOutOfRange (a token outside the logits).
Result<Logprobs> ComputeLogprobs(std::span<const float> logits, int32_t token, int32_t top);  // logits [vocabulary]
// The same of logits that have passed CheckLogits, and of a token among them. Errors: kInternal "invalid_logits" (none
// finite).
Result<Logprobs> LogprobsOfChecked(std::span<const float> logits, int32_t token, int32_t top);

// kInternal "invalid_logits" when a value is NaN or +infinity, or when there are none.
Status CheckLogits(std::span<const float> logits);

}  // namespace atelier::engine

// What a request may ask of the sampler, and the ranges of it.
//
// The steps and their order (that of llama.cpp's default chain):
//   1. mask       tokens that the grammar forbids are gone; suppressed end tokens, too (see Sampler)
//   2. logit_bias added to the logits
//   3. penalties  repetition, then frequency and presence
//   4. DRY        (https://github.com/oobabooga/text-generation-webui/pull/5677)
//   5. top_k, 6. typical_p, 7. top_p, 8. min_p: each over what the one before left, renormalised
//   9. temperature, 10. the draw
// Temperature 0 takes the largest logit after step 4: the truncations play no part. The log probabilities that are
// reported are those of the model's own distribution, before step 1.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/result.h"

namespace atelier::engine {

// "Don't repeat yourself": a token that would continue a repetition of `length` tokens loses
// multiplier * base^(length - allowed_length), when length >= allowed_length.
struct DryOptions {
  float multiplier = 0;  // 0: off
  float base = 1.75F;
  int32_t allowed_length = 2;
  int32_t last_n = -1;                       // how far back repetitions are looked for; -1: the whole history, 0: off
  std::vector<int32_t> sequence_breakers{};  // tokens that no repetition crosses
};

struct SamplingOptions {
  float temperature = 1;                  // 0 to 2; 0: greedy
  int32_t top_k = 0;                      // 0 or -1: all
  float top_p = 1;                        // 0 to 1; at least the likeliest token stays
  float min_p = 0;                        // 0 to 1; relative to the likeliest token
  float typical_p = 1;                    // more than 0, at most 1
  float repetition_penalty = 1;           // more than 0, at most 100; of prompt and answer
  int32_t repetition_last_n = -1;         // tokens of the history that count for it; -1: all, 0: none
  float presence_penalty = 0;             // -2 to 2; of the answer so far, not of the prompt
  float frequency_penalty = 0;            // -2 to 2; the same
  DryOptions dry{};                       // of prompt and answer
  std::map<int32_t, float> logit_bias{};  // token to -100 .. 100
  uint64_t seed = 0;
  bool ignore_eos = false;                // never an end token
  int32_t min_tokens = 0;                 // no end token and no stop token before so many tokens
  std::vector<int32_t> stop_token_ids{};  // the request's own, beside the model's end tokens
  std::optional<int32_t> top_logprobs{};  // report log probabilities: of the chosen token and of 0 to 20 likeliest
};

inline constexpr int32_t kMaxTopLogprobs = 20;
inline constexpr size_t kMaxLogitBiases = 1024;
inline constexpr size_t kMaxStopTokens = 128;
inline constexpr size_t kMaxDryBreakers = 1024;

// Errors: kInvalidArgument with `param` named as the API spells the field ("temperature", "logit_bias" ...), for
// values out of range, NaN, lists that are too long and token ids outside [0, vocabulary_size).
Status Validate(const SamplingOptions& options, int32_t vocabulary_size);

}  // namespace atelier::engine

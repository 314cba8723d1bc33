// From logits to a token. The steps and their order: options.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/sampling/candidates.h"
#include "engine/sampling/logprobs.h"
#include "engine/sampling/options.h"
#include "engine/sampling/penalties.h"

namespace atelier::engine {

// All borrowed for the call.
struct SampleInput {
  std::span<const float> logits{};     // [vocabulary]
  std::span<const int32_t> history{};  // prompt and answer so far
  size_t prompt_tokens = 0;            // how many of `history` are the prompt
  std::span<const uint64_t> mask{};    // token t may come when bit t % 64 of word t / 64 is set; empty: all may; ids
                                       // beyond its end may not
  std::span<const int32_t> end_ids{};  // the model's end tokens
};

struct SampledToken {
  int32_t id = 0;
  std::optional<Logprobs> logprobs;  // when options.top_logprobs is set
};

// Holds nothing but memory that is used again: the answer of Sample is a pure function of its arguments, whatever was
// sampled before and whoever shares the batch. The random number is that of (options.seed, number of tokens generated
// so far); for n > 1 the caller gives each choice its seed (ChoiceSeed). One per thread: not thread-safe.
class Sampler {
 public:
  // `options` must have passed Validate. The token is never one that the mask forbids. End tokens (and the request's
  // stop tokens, while fewer than min_tokens are there) are suppressed as the options say, unless nothing else is left
  // to choose: a grammar that is complete allows only the end.
  // Errors: kInternal "invalid_logits" (NaN or +infinity anywhere, even where the mask forbids: the model is broken),
  // kFailedPrecondition "no_allowed_token" (the mask is all zeros, or all that it allows is -infinity), kInternal
  // (prompt_tokens beyond the history).
  Result<SampledToken> Sample(const SamplingOptions& options, const SampleInput& input);

 private:
  Result<int32_t> Choose(const SamplingOptions& options, const SampleInput& input);
  // Steps 1 to 4 on a copy of the logits.
  std::span<const float> Adjust(const SamplingOptions& options, const SampleInput& input);

  std::vector<float> logits_;
  TokenCounts counts_;
  Candidates candidates_;
};

}  // namespace atelier::engine

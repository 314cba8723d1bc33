#include "engine/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/sampling/random.h"
#include "engine/sampling/selection.h"

namespace atelier::engine {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void ApplyMask(std::span<const uint64_t> mask, std::span<float> logits) {
  for (size_t start = 0; start < logits.size(); start += 64) {
    const uint64_t word = start / 64 < mask.size() ? mask[start / 64] : 0;
    if (word == ~uint64_t{0}) {
      continue;
    }
    const size_t count = std::min<size_t>(64, logits.size() - start);
    for (size_t bit = 0; bit < count; ++bit) {
      if (((word >> bit) & 1U) == 0) {
        logits[start + bit] = kNever;
      }
    }
  }
}

// Tokens that must not come yet.
std::vector<int32_t> Suppressed(const SamplingOptions& options, const SampleInput& input) {
  const size_t generated = input.history.size() - input.prompt_tokens;
  const bool early = generated < static_cast<size_t>(options.min_tokens);
  std::vector<int32_t> ids;
  if (options.ignore_eos || early) {
    ids.assign(input.end_ids.begin(), input.end_ids.end());
  }
  if (early) {
    ids.insert(ids.end(), options.stop_token_ids.begin(), options.stop_token_ids.end());
  }
  return ids;
}

// Without the `ids`, unless nothing would be left.
void ApplySuppression(const std::vector<int32_t>& ids, std::span<float> logits) {
  std::vector<std::pair<size_t, float>> before;
  for (const int32_t id : ids) {
    const auto index = static_cast<size_t>(id);
    if (id >= 0 && index < logits.size() && logits[index] != kNever) {
      before.emplace_back(index, logits[index]);
      logits[index] = kNever;
    }
  }
  if (!before.empty() && LargestIndex(logits) < 0) {
    for (const auto& [index, logit] : before) {
      logits[index] = logit;
    }
  }
}

void ApplyBias(const std::map<int32_t, float>& biases, std::span<float> logits) {
  for (const auto& [id, bias] : biases) {
    if (id >= 0 && static_cast<size_t>(id) < logits.size()) {
      float& logit = logits[static_cast<size_t>(id)];
      constexpr float kLargest = std::numeric_limits<float>::max();
      logit = logit == kNever ? kNever : std::clamp(logit + bias, -kLargest, kLargest);
    }
  }
}

}  // namespace

std::span<const float> Sampler::Adjust(const SamplingOptions& options, const SampleInput& input) {
  const std::vector<int32_t> suppressed = Suppressed(options, input);
  const auto generated = input.history.subspan(input.prompt_tokens);
  const bool repetition = options.repetition_penalty != 1 && options.repetition_last_n != 0 && !input.history.empty();
  const bool counted = (options.presence_penalty != 0 || options.frequency_penalty != 0) && !generated.empty();
  const bool dry = options.dry.multiplier > 0 && options.dry.last_n != 0 && !input.history.empty();
  if (input.mask.empty() && suppressed.empty() && options.logit_bias.empty() && !repetition && !counted && !dry) {
    return input.logits;
  }
  logits_.assign(input.logits.begin(), input.logits.end());
  if (!input.mask.empty()) {
    ApplyMask(input.mask, logits_);
  }
  ApplySuppression(suppressed, logits_);
  ApplyBias(options.logit_bias, logits_);
  if (repetition) {
    const auto window = LastTokens(input.history, options.repetition_last_n);
    ApplyRepetitionPenalty(options.repetition_penalty, window, counts_, logits_);
  }
  if (counted) {
    ApplyCountPenalties(options, generated, counts_, logits_);
  }
  if (dry) {
    ApplyDry(options.dry, input.history, logits_);
  }
  return logits_;
}

Result<int32_t> Sampler::Choose(const SamplingOptions& options, const SampleInput& input) {
  const std::span<const float> logits = Adjust(options, input);
  const Error nothing = FailedPrecondition("no token is allowed here", "no_allowed_token");
  if (options.temperature <= 0) {
    const int32_t id = LargestIndex(logits);
    return id >= 0 ? Result<int32_t>(id) : Result<int32_t>(nothing);
  }
  candidates_.Set(logits, options.top_k);
  if (candidates_.empty()) {
    return nothing;
  }
  candidates_.KeepTypical(options.typical_p);
  candidates_.KeepTopP(options.top_p);
  candidates_.KeepMinP(options.min_p);
  const uint64_t step = input.history.size() - input.prompt_tokens;
  return candidates_.Draw(options.temperature, UniformAt(options.seed, step));
}

Result<SampledToken> Sampler::Sample(const SamplingOptions& options, const SampleInput& input) {
  if (input.prompt_tokens > input.history.size()) {
    return Internal("the prompt is longer than the history");
  }
  ATELIER_TRY(CheckLogits(input.logits));
  SampledToken token;
  ATELIER_ASSIGN(id, Choose(options, input));
  token.id = id;
  if (options.top_logprobs) {
    ATELIER_ASSIGN(logprobs, LogprobsOfChecked(input.logits, id, *options.top_logprobs));
    token.logprobs = std::move(logprobs);
  }
  return token;
}

}  // namespace atelier::engine

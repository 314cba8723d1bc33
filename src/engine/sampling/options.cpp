#include "engine/sampling/options.h"

#include <limits>
#include <span>
#include <sstream>
#include <string>

namespace atelier::engine {
namespace {

constexpr float kSmallest = 1e-6F;  // of what must be more than 0

struct Range {
  const char* param;
  double value;
  double min;
  double max;
};

Status CheckRange(const Range& range) {
  if (range.value >= range.min && range.value <= range.max) {  // false for NaN
    return {};
  }
  std::ostringstream text;
  text << range.param << " must be between " << range.min << " and " << range.max << ", got " << range.value;
  return InvalidArgument(text.str(), range.param);
}

Status CheckId(int32_t id, int32_t vocabulary_size, const char* param) {
  if (id >= 0 && id < vocabulary_size) {
    return {};
  }
  return InvalidArgument(std::string(param) + " names token " + std::to_string(id) + "; tokens are 0 to " +
                             std::to_string(vocabulary_size - 1),
                         param);
}

Status CheckCount(size_t count, size_t max, const char* param) {
  if (count <= max) {
    return {};
  }
  return InvalidArgument(std::string(param) + " has " + std::to_string(count) + " entries, at most " +
                             std::to_string(max) + " are allowed",
                         param);
}

Status CheckIds(std::span<const int32_t> ids, size_t max, int32_t vocabulary_size, const char* param) {
  ATELIER_TRY(CheckCount(ids.size(), max, param));
  for (const int32_t id : ids) {
    ATELIER_TRY(CheckId(id, vocabulary_size, param));
  }
  return {};
}

Status CheckBias(const SamplingOptions& options, int32_t vocabulary_size) {
  ATELIER_TRY(CheckCount(options.logit_bias.size(), kMaxLogitBiases, "logit_bias"));
  for (const auto& [id, bias] : options.logit_bias) {
    ATELIER_TRY(CheckId(id, vocabulary_size, "logit_bias"));
    ATELIER_TRY(CheckRange({"logit_bias", bias, -100, 100}));
  }
  return {};
}

}  // namespace

Status Validate(const SamplingOptions& options, int32_t vocabulary_size) {
  constexpr double kMany = std::numeric_limits<int32_t>::max();
  const Range ranges[] = {
      {"temperature", options.temperature, 0, 2},
      {"top_k", static_cast<double>(options.top_k), -1, kMany},
      {"top_p", options.top_p, 0, 1},
      {"min_p", options.min_p, 0, 1},
      {"typical_p", options.typical_p, kSmallest, 1},
      {"repetition_penalty", options.repetition_penalty, kSmallest, 100},
      {"repeat_last_n", static_cast<double>(options.repetition_last_n), -1, kMany},
      {"presence_penalty", options.presence_penalty, -2, 2},
      {"frequency_penalty", options.frequency_penalty, -2, 2},
      {"dry_multiplier", options.dry.multiplier, 0, 100},
      {"dry_base", options.dry.base, 1, 100},
      {"dry_allowed_length", static_cast<double>(options.dry.allowed_length), 0, kMany},
      {"dry_penalty_last_n", static_cast<double>(options.dry.last_n), -1, kMany},
      {"min_tokens", static_cast<double>(options.min_tokens), 0, kMany},
      {"top_logprobs", static_cast<double>(options.top_logprobs.value_or(0)), 0, kMaxTopLogprobs},
  };
  for (const Range& range : ranges) {
    ATELIER_TRY(CheckRange(range));
  }
  ATELIER_TRY(CheckBias(options, vocabulary_size));
  ATELIER_TRY(CheckIds(options.stop_token_ids, kMaxStopTokens, vocabulary_size, "stop_token_ids"));
  return CheckIds(options.dry.sequence_breakers, kMaxDryBreakers, vocabulary_size, "dry_sequence_breakers");
}

}  // namespace atelier::engine

#include "engine/sampling/logprobs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/sampling/selection.h"

namespace atelier::engine {
namespace {

Error InvalidLogits(std::string message) { return MakeError(Code::kInternal, std::move(message), "invalid_logits"); }

}  // namespace

Status CheckLogits(std::span<const float> logits) {
  int bad = 0;
  for (const float logit : logits) {
    bad |= static_cast<int>(!(logit <= std::numeric_limits<float>::max()));  // NaN compares false
  }
  if (bad != 0) {
    return InvalidLogits("the model's logits hold NaN or infinity");
  }
  if (logits.empty() || logits.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return InvalidLogits("the model gave " + std::to_string(logits.size()) + " logits");
  }
  return {};
}

Result<Logprobs> ComputeLogprobs(std::span<const float> logits, int32_t token, int32_t top) {
  ATELIER_TRY(CheckLogits(logits));
  if (token < 0 || static_cast<size_t>(token) >= logits.size()) {
    return MakeError(Code::kOutOfRange, "token " + std::to_string(token) + " is not in the vocabulary");
  }
  const int32_t likeliest = LargestIndex(logits);
  if (likeliest < 0) {
    return InvalidLogits("the model gives every token the probability 0");
  }
  const double largest = logits[static_cast<size_t>(likeliest)];
  const float own = logits[static_cast<size_t>(token)];
  double total = 0;
  int32_t likelier = 0;
  for (const float logit : logits) {
    total += std::exp(logit - largest);
    likelier += static_cast<int32_t>(logit > own);
  }
  const double log_total = largest + std::log(total);
  const auto of = [&](int32_t id) {
    const auto logprob = static_cast<float>(logits[static_cast<size_t>(id)] - log_total);
    return TokenLogprob{id, std::max(logprob, kLeastLogprob)};
  };
  Logprobs result{of(token), likelier + 1, {}};
  for (const int32_t id : LargestIndexes(logits, static_cast<size_t>(std::max(top, 0)))) {
    result.top.push_back(of(id));
  }
  return result;
}

}  // namespace atelier::engine

#include "engine/sampling/logprobs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "engine/sampling/selection.h"
#include "tensor/kernels/float_kernels.h"

namespace atelier::engine {
namespace {

constexpr size_t kBlock = 64;

Error InvalidLogits(std::string message) { return MakeError(Code::kInternal, std::move(message), "invalid_logits"); }

int32_t CountAbove(std::span<const float> logits, float threshold) {
  int32_t count = 0;
  size_t start = 0;
  for (; start + kBlock <= logits.size(); start += kBlock) {
    int32_t of_block = 0;
    for (size_t i = 0; i < kBlock; ++i) {  // a fixed length: vector instructions
      of_block += static_cast<int32_t>(logits[start + i] > threshold);
    }
    count += of_block;
  }
  for (const float logit : logits.subspan(start)) {
    count += static_cast<int32_t>(logit > threshold);
  }
  return count;
}

}  // namespace

Status CheckLogits(std::span<const float> logits) {
  int bad = 0;
  const auto check = [&bad](float logit) {
    bad |= static_cast<int>(!(logit <= std::numeric_limits<float>::max()));  // NaN compares false
  };
  size_t start = 0;
  for (; start + kBlock <= logits.size(); start += kBlock) {
    for (size_t i = 0; i < kBlock; ++i) {  // a fixed length: vector instructions
      check(logits[start + i]);
    }
  }
  std::for_each(logits.begin() + static_cast<std::ptrdiff_t>(start), logits.end(), check);
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
  return LogprobsOfChecked(logits, token, top);
}

Result<Logprobs> LogprobsOfChecked(std::span<const float> logits, int32_t token, int32_t top) {
  const auto logit = [&](int32_t id) { return logits[static_cast<size_t>(id)]; };
  const auto likeliest = LargestIndexes(logits, static_cast<size_t>(std::max(top, 1)));
  if (likeliest.empty()) {
    return InvalidLogits("the model gives every token the probability 0");
  }
  const float largest = logit(likeliest.front());
  const float own = logit(token);
  const double total = tensor::BestFloatKernels().exponentials({logits.data(), logits.size(), largest});
  const double log_total = largest + std::log(total);
  const auto of = [&](int32_t id) {
    return TokenLogprob{id, std::max(static_cast<float>(logit(id) - log_total), kLeastLogprob)};
  };
  const bool among = own >= logit(likeliest.back());  // then so are all that are likelier
  const auto above =
      among ? std::ranges::count_if(likeliest, [&](int32_t id) { return logit(id) > own; }) : CountAbove(logits, own);
  Logprobs result{of(token), static_cast<int32_t>(above) + 1, {}};
  for (const int32_t id : std::span(likeliest).first(top > 0 ? likeliest.size() : 0)) {
    result.top.push_back(of(id));
  }
  return result;
}

}  // namespace atelier::engine

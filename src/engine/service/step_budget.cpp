#include "engine/service/step_budget.h"

#include <algorithm>

namespace atelier::engine {
namespace {

constexpr double kPart = 0.25;         // of an error that is corrected at once
constexpr double kMostRatio = 4;       // a step that took longer than this tells of the machine, not of the model
constexpr double kTokensADecode = 16;  // that cost as much as decoding, before anything is known
constexpr size_t kFirstTokens = 64;    // before anything is known
constexpr double kPromptShare = 1.0 / 3;
constexpr double kUsualTokenNs = 1e6;  // before anything is known

}  // namespace

StepCost Learn(StepCost cost, const StepSample& sample) {
  const auto took = static_cast<double>(sample.ns);
  const auto tokens = static_cast<double>(sample.prompt_tokens);
  if (sample.ns <= 0 || (sample.decoded == 0 && sample.prompt_tokens == 0)) {
    return cost;
  }
  if (sample.decoded > 0 && cost.decode_ns == 0) {
    const double of_prompts = cost.token_ns > 0 ? tokens * cost.token_ns : took * tokens / (tokens + kTokensADecode);
    cost.decode_ns = std::max(took - of_prompts, took / 4);
  }
  if (sample.prompt_tokens > 0 && cost.token_ns == 0) {
    const double of_decode = sample.decoded > 0 ? cost.decode_ns : 0;
    cost.token_ns = std::max(took - of_decode, took / 4) / tokens;
  }
  const double expected = (sample.decoded > 0 ? cost.decode_ns : 0) + tokens * cost.token_ns;
  const double correction = 1 + kPart * (std::clamp(took / expected, 1 / kMostRatio, kMostRatio) - 1);
  cost.decode_ns *= sample.decoded > 0 ? correction : 1;
  cost.token_ns *= sample.prompt_tokens > 0 ? correction : 1;
  return cost;
}

size_t PromptTokens(const StepCost& cost, size_t decoding, size_t waiting, const StepTargets& targets) {
  const bool alone = decoding == 0;
  const size_t most = targets.step_tokens;
  const size_t least = std::min(alone ? targets.least_alone_tokens : targets.least_shared_tokens, most);
  if (cost.token_ns <= 0) {
    return std::clamp(kFirstTokens, least, most);
  }
  const auto alone_ns = static_cast<double>(targets.alone_ns);
  double time = alone_ns;
  if (!alone) {
    const double by_number = cost.decode_ns * static_cast<double>(waiting) / static_cast<double>(decoding);
    time = std::max({static_cast<double>(targets.shared_ns) - cost.decode_ns, cost.decode_ns * kPromptShare,
                     std::min(by_number, std::max(alone_ns, cost.decode_ns))});
  }
  const double tokens = std::min(time / cost.token_ns, static_cast<double>(most));
  return std::max(static_cast<size_t>(tokens), least);
}

double ServiceTime(int64_t came_ns, size_t tokens_left, const StepCost& cost) {
  const double token_ns = cost.token_ns > 0 ? cost.token_ns : kUsualTokenNs;
  return static_cast<double>(came_ns) + static_cast<double>(tokens_left) * token_ns;
}

}  // namespace atelier::engine

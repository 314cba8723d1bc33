#include "api/text/answer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace atelier::api::text {
namespace {

using Kind = engine::GenerationDelta::Kind;

template <class T>
void Append(std::vector<T> from, std::vector<T>& to) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

void Add(engine::GenerationDelta delta, Answer& answer) {
  if (delta.kind == Kind::kPrompt) {
    Append(std::move(delta.token_ids), answer.prompt_tokens);
    Append(std::move(delta.logprobs), answer.prompt_logprobs);
    return;
  }
  if (delta.choice < 0 || static_cast<size_t>(delta.choice) >= answer.choices.size()) {
    return;
  }
  Choice& choice = answer.choices[static_cast<size_t>(delta.choice)];
  Append(std::move(delta.token_ids), choice.token_ids);
  Append(std::move(delta.logprobs), choice.logprobs);
  switch (delta.kind) {
    case Kind::kContent:
      choice.content += delta.text;
      break;
    case Kind::kReasoning:
      choice.reasoning += delta.text;
      break;
    case Kind::kToolCallStart:
      choice.calls.push_back({std::move(delta.tool_id), std::move(delta.tool_name), std::move(delta.text)});
      break;
    case Kind::kToolCallArguments:
      if (!choice.calls.empty()) {
        choice.calls.back().arguments += delta.text;
      }
      break;
    case Kind::kFinish:
      choice.finish = delta.finish;
      choice.stop_text = std::move(delta.text);
      choice.stop_token = delta.stop_token;
      break;
    case Kind::kPrompt:
      break;
  }
}

engine::GenerationUsage Sum(const std::vector<engine::GenerationUsage>& usages) {
  engine::GenerationUsage sum;
  for (const auto& usage : usages) {
    sum.prompt_tokens += usage.prompt_tokens;
    sum.cached_tokens += usage.cached_tokens;
    sum.completion_tokens += usage.completion_tokens;
    sum.reasoning_tokens += usage.reasoning_tokens;
    sum.accepted_prediction_tokens += usage.accepted_prediction_tokens;
    sum.rejected_prediction_tokens += usage.rejected_prediction_tokens;
    sum.queue_ns = std::max(sum.queue_ns, usage.queue_ns);
    sum.prefill_ns = std::max(sum.prefill_ns, usage.prefill_ns);
    sum.decode_ns = std::max(sum.decode_ns, usage.decode_ns);
  }
  return sum;
}

}  // namespace atelier::api::text

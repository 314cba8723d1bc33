#include "engine/service/task.h"

#include <algorithm>
#include <utility>

namespace atelier::engine {

Choice::Choice(Task& of, const Language& language, int32_t number)
    : task(of),
      index(number),
      history(of.prepared->Opening().begin(), of.prepared->Opening().end()),
      answer(*of.prepared, language, number) {
  if (!of.prepared->prediction.tokens().empty()) {
    drafting.cursor.emplace(of.prepared->prediction);
  }
}

bool Task::Finished() const {
  return prompt_done && std::ranges::all_of(choices, [](const auto& choice) { return choice->answer.finished(); });
}

void Task::Begin(const Language& language) {
  choices.push_back(std::make_unique<Choice>(*this, language, 0));
  usage.prompt_tokens = PromptTokens();
}

std::vector<TokenInfo> Task::PromptInfos(const Language& language, int32_t top) const {
  const auto& tokens = prepared->prompt.tokens;
  std::vector<TokenInfo> infos(1);
  infos[0].id = tokens[0];
  infos[0].bytes = language.Spelling(tokens[0]);
  for (const Logprobs& row : prompt_rows) {
    infos.push_back(MakeTokenInfo(row, language));
    infos.back().top.resize(std::min(infos.back().top.size(), static_cast<size_t>(top)));
  }
  return infos;
}

void Task::FinishPrompt(const Language& language, int64_t now_ns) {
  const GenerationRequest& request = prepared->request;
  prompt_done = true;
  prompt_ns = now_ns;
  GenerationDelta prompt;
  prompt.kind = GenerationDelta::Kind::kPrompt;
  prompt.tokens = PromptTokens();
  if (request.return_token_ids) {
    prompt.token_ids = prepared->prompt.tokens;
  }
  if (request.prompt_logprobs) {
    prompt.logprobs = PromptInfos(language, *request.prompt_logprobs);
  }
  deltas.push_back(std::move(prompt));
  for (int32_t i = 1; i < request.choices; ++i) {
    choices.push_back(std::make_unique<Choice>(*this, language, i));
  }
  for (int32_t i = 0; request.echo && i < request.choices; ++i) {
    GenerationDelta echo;
    echo.choice = i;
    echo.text = prepared->prompt.text;
    if (request.sampling.top_logprobs) {
      echo.logprobs = PromptInfos(language, *request.sampling.top_logprobs);
    }
    deltas.push_back(std::move(echo));
  }
  prompt_rows = {};
}

void Task::Tell() {
  if (!deltas.empty()) {
    sink->OnDeltas(std::exchange(deltas, {}));
  }
}

void Task::End(Status status, int64_t now_ns) {
  for (const auto& choice : choices) {
    usage.completion_tokens += choice->answer.tokens();
    usage.reasoning_tokens += choice->answer.reasoning_tokens();
    if (const auto& cursor = choice->drafting.cursor) {
      usage.accepted_prediction_tokens += static_cast<int32_t>(cursor->accepted());
      usage.rejected_prediction_tokens += static_cast<int32_t>(cursor->rejected());
    }
  }
  const int64_t admitted_at = admitted ? admitted_ns : now_ns;
  const int64_t prompt_at = prompt_done ? prompt_ns : now_ns;
  usage.queue_ns = admitted_at - queued_ns;
  usage.prefill_ns = admitted ? prompt_at - admitted_at : 0;
  usage.decode_ns = now_ns - prompt_at;
  choices.clear();
  Tell();
  sink->OnDone(std::move(status), usage);
}

}  // namespace atelier::engine

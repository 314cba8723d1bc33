#include "api/openai/completion_answer.h"

#include <utility>

namespace atelier::api::openai {
namespace {

using Kind = engine::GenerationDelta::Kind;

constexpr std::string_view kObject = "text_completion";

json::object ChoiceOf(const CompletionWish& wish, size_t index, const text::Choice& choice,
                      const text::Answer& answer) {
  json::object item{{"index", index},
                    {"text", choice.content},
                    {"logprobs", nullptr},
                    {"finish_reason", FinishName(choice.finish)},
                    {"stop_reason", StopReason(choice.stop_text, choice.stop_token, wish.stop_tokens)}};
  if (wish.logprobs) {
    item["logprobs"] = CompletionLogprobs(wish.echo).Next(choice.logprobs);
  }
  if (wish.prompt_logprobs) {
    item["prompt_logprobs"] = PromptLogprobs(answer.prompt_logprobs);
  }
  if (wish.token_ids) {
    item["prompt_token_ids"] = IdArray(answer.prompt_tokens);
    item["token_ids"] = IdArray(choice.token_ids);
  }
  return item;
}

class CompletionStream final : public text::StreamWriter {
 public:
  explicit CompletionStream(CompletionWish wish)
      : wish_(std::move(wish)),
        choices_(wish_.prompts * static_cast<size_t>(wish_.choices), State{false, CompletionLogprobs(wish_.echo)}),
        prompts_(wish_.prompts) {}

  void Write(size_t prompt, engine::GenerationDelta delta, std::string& out) override {
    if (delta.kind == Kind::kPrompt) {
      prompts_[prompt] = std::move(delta);
      return;
    }
    if (delta.choice < 0 || delta.choice >= wish_.choices) {
      return;
    }
    const size_t index = prompt * static_cast<size_t>(wish_.choices) + static_cast<size_t>(delta.choice);
    State& state = choices_[index];
    const bool finish = delta.kind == Kind::kFinish;
    if (!finish && delta.text.empty() && delta.token_ids.empty() && delta.logprobs.empty()) {
      return;
    }
    json::object choice{{"index", index},
                        {"text", finish ? std::string_view() : std::string_view(delta.text)},
                        {"logprobs", nullptr},
                        {"finish_reason", nullptr},
                        {"stop_reason", nullptr}};
    if (wish_.logprobs && !delta.logprobs.empty()) {
      choice["logprobs"] = state.logprobs.Next(delta.logprobs);
    }
    if (wish_.token_ids) {
      choice["token_ids"] = IdArray(delta.token_ids);
    }
    if (!std::exchange(state.begun, true)) {
      AddPrompt(prompts_[prompt], choice);
    }
    if (finish) {
      choice["finish_reason"] = FinishName(delta.finish);
      choice["stop_reason"] = StopReason(delta.text, delta.stop_token, wish_.stop_tokens);
    }
    json::object chunk = Head(wish_.envelope, kObject);
    chunk["choices"] = json::array{std::move(choice)};
    if (wish_.include_usage) {
      chunk["usage"] = nullptr;
    }
    AppendData(chunk, out);
  }

  void End(const Status& status, const std::vector<engine::GenerationUsage>& usages, std::string& out) override {
    if (wish_.include_usage) {
      json::object chunk = Head(wish_.envelope, kObject);
      chunk["choices"] = json::array();
      chunk["usage"] = UsageObject(text::Sum(usages));
      AppendData(chunk, out);
    }
    if (!status.ok()) {
      AppendData(OpenAiError(ForClient(status.error(), wish_.request_id, "/v1/completions")), out);
      return;
    }
    out += kDoneEvent;
  }

 private:
  struct State {
    bool begun;
    CompletionLogprobs logprobs;
  };

  // What a choice's first chunk says of its prompt.
  void AddPrompt(const engine::GenerationDelta& prompt, json::object& choice) const {
    if (wish_.token_ids) {
      choice["prompt_token_ids"] = IdArray(prompt.token_ids);
    }
    if (wish_.prompt_logprobs) {
      choice["prompt_logprobs"] = PromptLogprobs(prompt.logprobs);
    }
  }

  const CompletionWish wish_;
  std::vector<State> choices_;
  std::vector<engine::GenerationDelta> prompts_;
};

}  // namespace

json::object Completion(const CompletionWish& wish, const std::vector<text::Answer>& answers) {
  json::array choices;
  std::vector<engine::GenerationUsage> usages;
  for (const auto& answer : answers) {
    for (const auto& choice : answer.choices) {
      choices.push_back(ChoiceOf(wish, choices.size(), choice, answer));
    }
    usages.push_back(answer.usage);
  }
  json::object body = Head(wish.envelope, kObject);
  body["choices"] = std::move(choices);
  body["usage"] = UsageObject(text::Sum(usages));
  return body;
}

std::unique_ptr<text::StreamWriter> MakeCompletionStream(CompletionWish wish) {
  return std::make_unique<CompletionStream>(std::move(wish));
}

}  // namespace atelier::api::openai

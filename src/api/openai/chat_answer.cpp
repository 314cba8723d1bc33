#include "api/openai/chat_answer.h"

#include <utility>

namespace atelier::api::openai {
namespace {

using Kind = engine::GenerationDelta::Kind;

json::object MessageOf(const text::Choice& choice) {
  json::object message{{"role", "assistant"}, {"refusal", nullptr}};
  message["content"] =
      choice.content.empty() && !choice.calls.empty() ? json::value(nullptr) : json::value(choice.content);
  if (!choice.reasoning.empty()) {
    message["reasoning_content"] = choice.reasoning;
  }
  if (!choice.calls.empty()) {
    json::array calls;
    for (const auto& call : choice.calls) {
      calls.push_back(ToolCallObject(call));
    }
    message["tool_calls"] = std::move(calls);
  }
  return message;
}

class ChatStream final : public text::StreamWriter {
 public:
  explicit ChatStream(ChatWish wish) : wish_(std::move(wish)), begun_(static_cast<size_t>(wish_.choices)) {}

  void Write(size_t /*prompt*/, engine::GenerationDelta delta, std::string& out) override {
    if (delta.kind == Kind::kPrompt) {
      prompt_ = std::move(delta);
      for (int32_t i = 0; i < wish_.choices; ++i) {
        Begin(i, out);
      }
      return;
    }
    if (delta.choice < 0 || delta.choice >= wish_.choices) {
      return;
    }
    Begin(delta.choice, out);
    json::object change = ChangeOf(delta);
    const bool silent = change.empty() && delta.kind != Kind::kFinish;
    if (silent && delta.token_ids.empty() && delta.logprobs.empty()) {
      return;
    }
    json::object choice = ChoiceOf(delta.choice, std::move(change));
    if (wish_.logprobs && !delta.logprobs.empty()) {
      choice["logprobs"] = ChatLogprobs(delta.logprobs);
    }
    if (wish_.token_ids) {
      choice["token_ids"] = IdArray(delta.token_ids);
    }
    if (delta.kind == Kind::kFinish) {
      choice["finish_reason"] = FinishName(delta.finish);
      choice["stop_reason"] = StopReason(delta.text, delta.stop_token, wish_.stop_tokens);
    }
    Put(std::move(choice), {}, out);
  }

  void End(const Status& status, const std::vector<engine::GenerationUsage>& usages, std::string& out) override {
    if (wish_.include_usage) {
      json::object chunk = Head(wish_.envelope, kObject);
      chunk["choices"] = json::array();
      chunk["usage"] = UsageObject(text::Sum(usages));
      AppendData(chunk, out);
    }
    if (!status.ok()) {
      AppendData(OpenAiError(ForClient(status.error(), wish_.request_id, "/v1/chat/completions")), out);
      return;
    }
    out += kDoneEvent;
  }

 private:
  static constexpr std::string_view kObject = "chat.completion.chunk";

  static json::object ChangeOf(const engine::GenerationDelta& delta) {
    switch (delta.kind) {
      case Kind::kContent:
        return delta.text.empty() ? json::object() : json::object{{"content", delta.text}};
      case Kind::kReasoning:
        return delta.text.empty() ? json::object() : json::object{{"reasoning_content", delta.text}};
      case Kind::kToolCallStart: {
        json::object call = ToolCallObject({delta.tool_id, delta.tool_name, delta.text});
        call["index"] = delta.tool_index;
        return {{"tool_calls", json::array{std::move(call)}}};
      }
      case Kind::kToolCallArguments: {
        json::object call{{"index", delta.tool_index}, {"function", {{"arguments", delta.text}}}};
        return {{"tool_calls", json::array{std::move(call)}}};
      }
      case Kind::kPrompt:
      case Kind::kFinish:
        break;
    }
    return {};
  }
  static json::object ChoiceOf(int32_t index, json::object change) {
    return {{"index", index}, {"delta", std::move(change)}, {"logprobs", nullptr}, {"finish_reason", nullptr}};
  }

  void Begin(int32_t index, std::string& out) {
    if (std::exchange(begun_[static_cast<size_t>(index)], 1) != 0) {
      return;
    }
    json::object more;
    if (wish_.token_ids) {
      more["prompt_token_ids"] = IdArray(prompt_.token_ids);
    }
    if (wish_.prompt_logprobs && index == 0) {
      more["prompt_logprobs"] = PromptLogprobs(prompt_.logprobs);
    }
    Put(ChoiceOf(index, {{"role", "assistant"}, {"content", ""}}), std::move(more), out);
  }
  void Put(json::object choice, json::object more, std::string& out) {
    json::object chunk = Head(wish_.envelope, kObject);
    chunk["choices"] = json::array{std::move(choice)};
    if (wish_.include_usage) {
      chunk["usage"] = nullptr;
    }
    for (auto& [key, value] : more) {
      chunk[key] = std::move(value);
    }
    AppendData(chunk, out);
  }

  const ChatWish wish_;
  std::vector<char> begun_;  // flags
  engine::GenerationDelta prompt_;
};

}  // namespace

json::object ToolCallObject(const text::ToolCall& call) {
  return {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

json::object ChatCompletion(const ChatWish& wish, const text::Answer& answer) {
  json::array choices;
  for (size_t i = 0; i < answer.choices.size(); ++i) {
    const text::Choice& choice = answer.choices[i];
    json::object item{{"index", i},
                      {"message", MessageOf(choice)},
                      {"logprobs", wish.logprobs ? json::value(ChatLogprobs(choice.logprobs)) : json::value(nullptr)},
                      {"finish_reason", FinishName(choice.finish)},
                      {"stop_reason", StopReason(choice.stop_text, choice.stop_token, wish.stop_tokens)}};
    if (wish.token_ids) {
      item["token_ids"] = IdArray(choice.token_ids);
    }
    choices.push_back(std::move(item));
  }
  json::object body = Head(wish.envelope, "chat.completion");
  body["choices"] = std::move(choices);
  body["usage"] = UsageObject(answer.usage);
  if (wish.prompt_logprobs) {
    body["prompt_logprobs"] = PromptLogprobs(answer.prompt_logprobs);
  }
  if (wish.token_ids) {
    body["prompt_token_ids"] = IdArray(answer.prompt_tokens);
  }
  return body;
}

std::unique_ptr<text::StreamWriter> MakeChatStream(ChatWish wish) {
  return std::make_unique<ChatStream>(std::move(wish));
}

}  // namespace atelier::api::openai

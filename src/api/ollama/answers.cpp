#include "api/ollama/answers.h"

#include <optional>
#include <utility>
#include <vector>

#include "api/ollama/fields.h"
#include "api/openai/shapes.h"

namespace atelier::api::ollama {
namespace {

using Kind = engine::GenerationDelta::Kind;

// What one object says, in the shape of chat or generate.
struct Said {
  std::string content;
  std::string thinking;
  json::array calls;
  json::array logprobs;
};

json::object CallObject(const text::ToolCall& call, size_t index) {
  const auto arguments = ParseJson(call.arguments.empty() ? "{}" : call.arguments);
  json::object function{{"index", index}, {"name", call.name}};
  function["arguments"] = arguments.ok() && arguments->is_object() ? *arguments : json::value(json::object());
  return {{"id", call.id}, {"function", std::move(function)}};
}

json::array LogprobsOf(const std::vector<engine::TokenInfo>& tokens) {
  return tokens.empty() ? json::array() : std::move(openai::ChatLogprobs(tokens)["content"].as_array());
}

json::object ObjectOf(const Wish& wish, Said said) {
  json::object out = Head(wish);
  if (wish.chat) {
    json::object message{{"role", "assistant"}, {"content", said.content}};
    if (!said.thinking.empty()) {
      message["thinking"] = said.thinking;
    }
    if (!said.calls.empty()) {
      message["tool_calls"] = std::move(said.calls);
    }
    out["message"] = std::move(message);
  } else {
    out["response"] = said.content;
    if (!said.thinking.empty()) {
      out["thinking"] = said.thinking;
    }
    if (!said.calls.empty()) {
      out["tool_calls"] = std::move(said.calls);
    }
  }
  if (!said.logprobs.empty()) {
    out["logprobs"] = std::move(said.logprobs);
  }
  out["done"] = false;
  return out;
}

void AddEnd(engine::FinishReason reason, const engine::GenerationUsage& usage, json::object& out) {
  out["done"] = true;
  out["done_reason"] = reason == engine::FinishReason::kLength ? "length" : "stop";
  out["total_duration"] = usage.queue_ns + usage.prefill_ns + usage.decode_ns;
  out["load_duration"] = usage.queue_ns;
  out["prompt_eval_count"] = usage.prompt_tokens;
  out["prompt_eval_duration"] = usage.prefill_ns;
  out["eval_count"] = usage.completion_tokens;
  out["eval_duration"] = usage.decode_ns;
}

class Lines final : public text::StreamWriter {
 public:
  explicit Lines(Wish wish) : wish_(std::move(wish)) {}

  void Write(size_t /*prompt*/, engine::GenerationDelta delta, std::string& out) override {
    if (delta.kind != Kind::kToolCallArguments) {
      PutCall(out);
    }
    Said said;
    said.logprobs = LogprobsOf(delta.logprobs);
    switch (delta.kind) {
      case Kind::kContent:
        said.content = std::move(delta.text);
        break;
      case Kind::kReasoning:
        said.thinking = std::move(delta.text);
        break;
      case Kind::kToolCallStart:
        call_ = text::ToolCall{std::move(delta.tool_id), std::move(delta.tool_name), std::move(delta.text)};
        return;
      case Kind::kToolCallArguments:
        if (call_.has_value()) {
          call_->arguments += delta.text;
        }
        return;
      case Kind::kFinish:
        finish_ = delta.finish;
        break;
      case Kind::kPrompt:
        return;
    }
    if (!said.content.empty() || !said.thinking.empty() || !said.logprobs.empty()) {
      Put(ObjectOf(wish_, std::move(said)), out);
    }
  }

  void End(const Status& status, const std::vector<engine::GenerationUsage>& usages, std::string& out) override {
    PutCall(out);
    if (!status.ok()) {
      Put({{"error", ForClient(status.error(), wish_.request_id, "/api").message}}, out);
      return;
    }
    json::object last = ObjectOf(wish_, {});
    AddEnd(finish_, text::Sum(usages), last);
    Put(last, out);
  }
  std::string_view content_type() const override { return "application/x-ndjson"; }
  std::string_view ping() const override { return ""; }  // a line would be taken for an answer

 private:
  static void Put(const json::object& object, std::string& out) { out += json::serialize(object) + "\n"; }
  void PutCall(std::string& out) {
    if (call_.has_value()) {
      Said said;
      said.calls.push_back(CallObject(*call_, calls_++));
      call_.reset();
      Put(ObjectOf(wish_, std::move(said)), out);
    }
  }

  const Wish wish_;
  std::optional<text::ToolCall> call_;  // begun, its arguments still come
  size_t calls_ = 0;
  engine::FinishReason finish_ = engine::FinishReason::kStop;
};

}  // namespace

json::object Head(const Wish& wish) { return {{"model", wish.model}, {"created_at", Rfc3339(wish.clock->UnixMs())}}; }

json::object WholeAnswer(const Wish& wish, const text::Answer& answer) {
  const text::Choice& choice = answer.choices.front();
  Said said{choice.content, choice.reasoning, {}, LogprobsOf(choice.logprobs)};
  for (size_t i = 0; i < choice.calls.size(); ++i) {
    said.calls.push_back(CallObject(choice.calls[i], i));
  }
  json::object out = ObjectOf(wish, std::move(said));
  AddEnd(choice.finish, answer.usage, out);
  return out;
}

std::unique_ptr<text::StreamWriter> MakeLines(Wish wish) { return std::make_unique<Lines>(std::move(wish)); }

}  // namespace atelier::api::ollama

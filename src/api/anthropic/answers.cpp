#include "api/anthropic/answers.h"

#include <utility>

#include "api/anthropic/fields.h"
#include "api/http/sse.h"

namespace atelier::api::anthropic {
namespace {

using Kind = engine::GenerationDelta::Kind;

std::string_view StopReason(engine::FinishReason finish, const std::string& stop_text) {
  if (finish == engine::FinishReason::kLength) {
    return "max_tokens";
  }
  if (finish == engine::FinishReason::kToolCalls) {
    return "tool_use";
  }
  return stop_text.empty() ? "end_turn" : "stop_sequence";
}

json::value TextOrNull(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

// Tokens found in the cache are counted apart.
json::object UsageObject(const engine::GenerationUsage& usage) {
  return {{"input_tokens", usage.prompt_tokens - usage.cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", usage.cached_tokens},
          {"output_tokens", usage.completion_tokens}};
}

json::object TextBlock(std::string_view text) { return {{"type", "text"}, {"text", text}}; }
json::object ThinkingBlock(std::string_view text) {
  return {{"type", "thinking"}, {"thinking", text}, {"signature", ""}};
}
json::object CallBlock(const std::string& id, const std::string& name, json::object input) {
  return {{"type", "tool_use"}, {"id", std::string(kCallPrefix) + id}, {"name", name}, {"input", std::move(input)}};
}

json::object MessageObject(const Wish& wish, json::array content) {
  return {{"id", wish.id},
          {"type", "message"},
          {"role", "assistant"},
          {"model", wish.model},
          {"content", std::move(content)},
          {"stop_reason", nullptr},
          {"stop_sequence", nullptr}};
}

// An event is named as the type of its data.
void Put(json::object data, std::string& out) {
  const std::string type(data.at("type").as_string());
  out += http::FormatEvent(std::nullopt, type, json::serialize(data));
}

class Stream final : public text::StreamWriter {
 public:
  explicit Stream(Wish wish) : wish_(std::move(wish)) {}

  void Write(size_t /*prompt*/, engine::GenerationDelta delta, std::string& out) override {
    if (delta.kind == Kind::kPrompt) {
      prompt_tokens_ = delta.tokens;
    }
    Begin(out);
    switch (delta.kind) {
      case Kind::kContent:
        if (!delta.text.empty()) {
          Open(Block::kText, TextBlock(""), out);
          Change({{"type", "text_delta"}, {"text", delta.text}}, out);
        }
        break;
      case Kind::kReasoning:
        if (!delta.text.empty()) {
          Open(Block::kThinking, ThinkingBlock(""), out);
          Change({{"type", "thinking_delta"}, {"thinking", delta.text}}, out);
        }
        break;
      case Kind::kToolCallStart:
        Close(out);
        Open(Block::kCall, CallBlock(delta.tool_id, delta.tool_name, {}), out);
        if (!delta.text.empty()) {
          Change({{"type", "input_json_delta"}, {"partial_json", delta.text}}, out);
        }
        break;
      case Kind::kToolCallArguments:
        Change({{"type", "input_json_delta"}, {"partial_json", delta.text}}, out);
        break;
      case Kind::kFinish:
        finish_ = delta.finish;
        stop_text_ = std::move(delta.text);
        break;
      case Kind::kPrompt:
        break;
    }
  }

  void End(const Status& status, const std::vector<engine::GenerationUsage>& usages, std::string& out) override {
    if (!status.ok()) {
      Put(AnthropicError(ForClient(status.error(), wish_.request_id, "/v1/messages"), wish_.request_id), out);
      return;
    }
    Begin(out);
    if (index_ < 0) {
      Open(Block::kText, TextBlock(""), out);
    }
    Close(out);
    Put({{"type", "message_delta"},
         {"delta", {{"stop_reason", StopReason(finish_, stop_text_)}, {"stop_sequence", TextOrNull(stop_text_)}}},
         {"usage", UsageObject(text::Sum(usages))}},
        out);
    Put({{"type", "message_stop"}}, out);
  }
  std::string_view ping() const override { return "event: ping\ndata: {\"type\": \"ping\"}\n\n"; }

 private:
  enum class Block { kNone, kText, kThinking, kCall };

  void Begin(std::string& out) {
    if (std::exchange(begun_, true)) {
      return;
    }
    json::object message = MessageObject(wish_, {});
    message["usage"] = {{"input_tokens", prompt_tokens_},
                        {"cache_creation_input_tokens", 0},
                        {"cache_read_input_tokens", 0},
                        {"output_tokens", 0}};
    Put({{"type", "message_start"}, {"message", std::move(message)}}, out);
    out += ping();
  }
  void Open(Block block, json::object start, std::string& out) {
    if (open_ == block) {
      return;
    }
    Close(out);
    open_ = block;
    ++index_;
    Put({{"type", "content_block_start"}, {"index", index_}, {"content_block", std::move(start)}}, out);
  }
  void Change(json::object delta, std::string& out) {
    if (open_ != Block::kNone) {
      Put({{"type", "content_block_delta"}, {"index", index_}, {"delta", std::move(delta)}}, out);
    }
  }
  void Close(std::string& out) {
    if (std::exchange(open_, Block::kNone) != Block::kNone) {
      Put({{"type", "content_block_stop"}, {"index", index_}}, out);
    }
  }

  const Wish wish_;
  bool begun_ = false;
  int64_t prompt_tokens_ = 0;
  Block open_ = Block::kNone;
  int64_t index_ = -1;  // of the block that is open, or was last
  engine::FinishReason finish_ = engine::FinishReason::kStop;
  std::string stop_text_;
};

}  // namespace

json::object Message(const Wish& wish, const text::Answer& answer) {
  const text::Choice& choice = answer.choices.front();
  json::array content;
  if (!choice.reasoning.empty()) {
    content.push_back(ThinkingBlock(choice.reasoning));
  }
  if (!choice.content.empty() || choice.calls.empty()) {
    content.push_back(TextBlock(choice.content));
  }
  for (const auto& call : choice.calls) {
    auto input = ParseJson(call.arguments.empty() ? "{}" : call.arguments);
    const bool good = input.ok() && input->is_object();
    content.push_back(CallBlock(call.id, call.name, good ? std::move(input->get_object()) : json::object()));
  }
  json::object message = MessageObject(wish, std::move(content));
  message["stop_reason"] = StopReason(choice.finish, choice.stop_text);
  message["stop_sequence"] = TextOrNull(choice.stop_text);
  message["usage"] = UsageObject(answer.usage);
  return message;
}

std::unique_ptr<text::StreamWriter> MakeStream(Wish wish) { return std::make_unique<Stream>(std::move(wish)); }

}  // namespace atelier::api::anthropic

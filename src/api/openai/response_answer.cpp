#include "api/openai/response_answer.h"

#include <utility>

#include "api/http/sse.h"
#include "api/openai/shapes.h"

namespace atelier::api::openai {
namespace {

using Kind = engine::GenerationDelta::Kind;

json::object UsageOf(const engine::GenerationUsage& usage) {
  return {{"input_tokens", usage.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", usage.cached_tokens}, {"cache_write_tokens", 0}}},
          {"output_tokens", usage.completion_tokens},
          {"output_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}},
          {"total_tokens", int64_t{usage.prompt_tokens} + usage.completion_tokens}};
}

json::array LogprobsOf(bool wanted, const std::vector<engine::TokenInfo>& tokens) {
  return wanted && !tokens.empty() ? std::move(ChatLogprobs(tokens)["content"].as_array()) : json::array();
}

// Items are numbered, so that their ids differ.
std::string ItemId(std::string_view prefix, const std::string& response_id, size_t index) {
  return std::string(prefix) + response_id.substr(response_id.find('_') + 1) + std::to_string(index);
}

json::object TextPart(std::string_view text, json::array logprobs) {
  return {{"type", "output_text"}, {"text", text}, {"annotations", json::array()}, {"logprobs", std::move(logprobs)}};
}
json::object ReasoningPart(std::string_view text) { return {{"type", "reasoning_text"}, {"text", text}}; }

json::object MessageItem(const std::string& id, std::string_view status, json::array content) {
  return {{"id", id}, {"type", "message"}, {"role", "assistant"}, {"status", status}, {"content", std::move(content)}};
}
json::object ReasoningItem(const std::string& id, std::string_view status, json::array content) {
  return {{"id", id},
          {"type", "reasoning"},
          {"summary", json::array()},
          {"content", std::move(content)},
          {"encrypted_content", nullptr},
          {"status", status}};
}
json::object CallItem(const std::string& id, std::string_view status, const text::ToolCall& call) {
  return {{"id", id},          {"type", "function_call"},     {"call_id", call.id},
          {"name", call.name}, {"arguments", call.arguments}, {"status", status}};
}

// The response with what is known of it at some point.
json::object BodyOf(const ResponseWish& wish, std::string_view status, json::array output, json::value usage) {
  json::object body{{"id", wish.id}, {"object", "response"}};
  for (const auto& member : wish.echo) {
    body[member.key()] = member.value();
  }
  body["status"] = status;
  body["error"] = nullptr;
  body["incomplete_details"] = nullptr;
  body["completed_at"] = nullptr;
  body["output"] = std::move(output);
  body["usage"] = std::move(usage);
  return body;
}

json::object Ended(const ResponseWish& wish, engine::FinishReason finish, json::array output,
                   const engine::GenerationUsage& usage) {
  const bool cut = finish == engine::FinishReason::kLength;
  json::object body = BodyOf(wish, cut ? "incomplete" : "completed", std::move(output), UsageOf(usage));
  if (cut) {
    body["incomplete_details"] = {{"reason", "max_output_tokens"}};
  } else {
    body["completed_at"] = Seconds(wish.clock->UnixMs());
  }
  return body;
}

class ResponseStream final : public text::StreamWriter {
 public:
  explicit ResponseStream(ResponseWish wish) : wish_(std::move(wish)) {}

  void Write(size_t /*prompt*/, engine::GenerationDelta delta, std::string& out) override {
    Begin(out);
    switch (delta.kind) {
      case Kind::kContent:
        Open(Item::kMessage, out);
        Append(wish_.logprobs, delta.logprobs);
        Delta("response.output_text.delta", delta.text, delta.logprobs, out);
        break;
      case Kind::kReasoning:
        Open(Item::kReasoning, out);
        Delta("response.reasoning_text.delta", delta.text, {}, out);
        break;
      case Kind::kToolCallStart:
        Close("completed", out);
        call_ = {std::move(delta.tool_id), std::move(delta.tool_name), ""};
        Open(Item::kCall, out);
        Delta("response.function_call_arguments.delta", delta.text, {}, out);
        break;
      case Kind::kToolCallArguments:
        if (open_ == Item::kCall) {
          Delta("response.function_call_arguments.delta", delta.text, {}, out);
        }
        break;
      case Kind::kFinish:
        finish_ = delta.finish;
        break;
      case Kind::kPrompt:
        break;
    }
  }

  void End(const Status& status, const std::vector<engine::GenerationUsage>& usages, std::string& out) override {
    Begin(out);
    if (!status.ok()) {
      const auto seen = ForClient(status.error(), wish_.request_id, "/v1/responses");
      json::object body = BodyOf(wish_, "failed", std::move(output_), nullptr);
      body["error"] = {{"code", seen.reason.empty() ? "server_error" : seen.reason}, {"message", seen.message}};
      Put("response.failed", {{"response", std::move(body)}}, out);
      return;
    }
    if (output_.empty() && open_ == Item::kNone) {
      Open(Item::kMessage, out);
    }
    const bool cut = finish_ == engine::FinishReason::kLength;
    Close(cut ? "incomplete" : "completed", out);
    const json::object body = Ended(wish_, finish_, output_, text::Sum(usages));
    if (wish_.finished) {
      wish_.finished(body, output_);
    }
    Put(cut ? "response.incomplete" : "response.completed", {{"response", body}}, out);
  }

 private:
  enum class Item { kNone, kMessage, kReasoning, kCall };

  void Put(std::string_view type, json::object data, std::string& out) {
    json::object event{{"type", type}, {"sequence_number", sequence_++}};
    for (auto& [key, value] : data) {
      event[key] = std::move(value);
    }
    out += http::FormatEvent(std::nullopt, type, json::serialize(event));
  }
  void Begin(std::string& out) {
    if (std::exchange(begun_, true)) {
      return;
    }
    const json::object body = BodyOf(wish_, "in_progress", {}, nullptr);
    Put("response.created", {{"response", body}}, out);
    Put("response.in_progress", {{"response", body}}, out);
  }
  json::object Place() const { return {{"item_id", item_id_}, {"output_index", output_.size()}}; }
  json::object PlaceInItem() const {
    json::object place = Place();
    place["content_index"] = 0;
    return place;
  }
  json::object ItemNow(std::string_view status, bool whole) const {
    json::array content;
    switch (open_) {
      case Item::kMessage:
        if (whole) {
          content.push_back(TextPart(text_, logprobs_));
        }
        return MessageItem(item_id_, status, std::move(content));
      case Item::kReasoning:
        if (whole) {
          content.push_back(ReasoningPart(text_));
        }
        return ReasoningItem(item_id_, status, std::move(content));
      case Item::kCall:
      case Item::kNone:
        break;
    }
    return CallItem(item_id_, status, {call_.id, call_.name, text_});
  }
  void PutPart(std::string_view type, std::string& out) {
    json::object data = PlaceInItem();
    data["part"] = open_ == Item::kMessage ? TextPart(text_, logprobs_) : ReasoningPart(text_);
    Put(type, std::move(data), out);
  }

  void Open(Item item, std::string& out) {
    if (open_ == item) {
      return;
    }
    Close("completed", out);
    open_ = item;
    text_.clear();
    logprobs_.clear();
    const std::string_view prefix = item == Item::kMessage ? "msg_" : item == Item::kReasoning ? "rs_" : "fc_";
    item_id_ = ItemId(prefix, wish_.id, output_.size());
    Put("response.output_item.added", {{"output_index", output_.size()}, {"item", ItemNow("in_progress", false)}}, out);
    if (item != Item::kCall) {
      PutPart("response.content_part.added", out);
    }
  }
  void Append(bool wanted, const std::vector<engine::TokenInfo>& tokens) {
    for (auto& token : LogprobsOf(wanted, tokens)) {
      logprobs_.push_back(std::move(token));
    }
  }
  void Delta(std::string_view type, const std::string& text, const std::vector<engine::TokenInfo>& tokens,
             std::string& out) {
    if (text.empty()) {
      return;
    }
    text_ += text;
    json::object data = open_ == Item::kCall ? Place() : PlaceInItem();
    data["delta"] = text;
    if (open_ == Item::kMessage) {
      data["logprobs"] = LogprobsOf(wish_.logprobs, tokens);
    }
    Put(type, std::move(data), out);
  }
  void Close(std::string_view status, std::string& out) {
    if (open_ == Item::kNone) {
      return;
    }
    if (open_ == Item::kCall) {
      json::object data = Place();
      data["name"] = call_.name;
      data["arguments"] = text_;
      Put("response.function_call_arguments.done", std::move(data), out);
    } else {
      json::object data = PlaceInItem();
      data["text"] = text_;
      if (open_ == Item::kMessage) {
        data["logprobs"] = logprobs_;
      }
      Put(open_ == Item::kMessage ? "response.output_text.done" : "response.reasoning_text.done", std::move(data), out);
      PutPart("response.content_part.done", out);
    }
    json::object item = ItemNow(status, true);
    Put("response.output_item.done", {{"output_index", output_.size()}, {"item", item}}, out);
    output_.push_back(std::move(item));
    open_ = Item::kNone;
  }

  const ResponseWish wish_;
  bool begun_ = false;
  int64_t sequence_ = 0;
  json::array output_;  // items that are done
  Item open_ = Item::kNone;
  std::string item_id_;
  std::string text_;  // of the open item
  json::array logprobs_;
  text::ToolCall call_;
  engine::FinishReason finish_ = engine::FinishReason::kStop;
};

}  // namespace

json::object ResponseObject(const ResponseWish& wish, const text::Answer& answer) {
  const text::Choice& choice = answer.choices.front();
  const bool cut = choice.finish == engine::FinishReason::kLength;
  const std::string_view last = cut ? "incomplete" : "completed";
  json::array output;
  if (!choice.reasoning.empty()) {
    const bool alone = choice.content.empty() && choice.calls.empty();
    output.push_back(ReasoningItem(ItemId("rs_", wish.id, 0), alone ? last : "completed",
                                   json::array{ReasoningPart(choice.reasoning)}));
  }
  if (!choice.content.empty() || (choice.calls.empty() && choice.reasoning.empty())) {
    json::array content{TextPart(choice.content, LogprobsOf(wish.logprobs, choice.logprobs))};
    output.push_back(MessageItem(ItemId("msg_", wish.id, output.size()), choice.calls.empty() ? last : "completed",
                                 std::move(content)));
  }
  for (size_t i = 0; i < choice.calls.size(); ++i) {
    const bool is_last = i + 1 == choice.calls.size();
    output.push_back(CallItem(ItemId("fc_", wish.id, output.size()), is_last ? last : "completed", choice.calls[i]));
  }
  json::object body = Ended(wish, choice.finish, output, answer.usage);
  if (wish.finished) {
    wish.finished(body, output);
  }
  return body;
}

std::unique_ptr<text::StreamWriter> MakeResponseStream(ResponseWish wish) {
  return std::make_unique<ResponseStream>(std::move(wish));
}

}  // namespace atelier::api::openai

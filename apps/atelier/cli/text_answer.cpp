#include "atelier/cli/text_answer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "atelier/cli/sse.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

using Time = std::chrono::steady_clock;

constexpr size_t kMaxCalls = 1000;
constexpr int kWholeAnswerTimeoutS = 24 * 3600;  // nothing arrives before its end

double SecondsSince(Time::time_point begin) { return std::chrono::duration<double>(Time::now() - begin).count(); }

const json::object* Object(const json::object& parent, std::string_view key) {
  const auto* value = parent.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

void Append(const json::object& from, std::string_view key, std::string& to) { to += GetString(from, key); }

void AddCalls(const json::object& delta, TextAnswer& answer) {
  const auto* calls = delta.if_contains("tool_calls");
  if (calls == nullptr || !calls->is_array()) {
    return;
  }
  for (const auto& item : calls->get_array()) {
    const auto* call = item.if_object();
    const int64_t index = call == nullptr ? -1 : GetInt(*call, "index");
    if (index < 0 || index >= static_cast<int64_t>(kMaxCalls)) {
      continue;
    }
    answer.calls.resize(std::max(answer.calls.size(), static_cast<size_t>(index) + 1));
    CalledTool& tool = answer.calls[static_cast<size_t>(index)];
    Append(*call, "id", tool.id);
    if (const auto* function = Object(*call, "function")) {
      Append(*function, "name", tool.name);
      Append(*function, "arguments", tool.arguments);
    }
  }
}

void AddChoice(const json::object& choice, const ShowPiece& show, TextAnswer& answer) {
  const auto add = [&](const json::object& from, std::string_view key, PieceKind kind, std::string& to) {
    const std::string text = GetString(from, key);
    to += text;
    if (!text.empty()) {
      show(kind, text);
    }
  };
  add(choice, "text", PieceKind::kContent, answer.content);
  if (const auto* delta = Object(choice, "delta")) {
    add(*delta, "reasoning_content", PieceKind::kReasoning, answer.reasoning);
    add(*delta, "content", PieceKind::kContent, answer.content);
    AddCalls(*delta, answer);
  }
  if (const std::string reason = GetString(choice, "finish_reason"); !reason.empty()) {
    answer.finish_reason = reason;
  }
}

HttpRequest Asking(const std::string& target, const json::object& body) {
  HttpRequest request{.method = "POST", .target = target, .content_type = "application/json"};
  request.body.push_back({.text = json::serialize(body)});
  return request;
}

Error BadStream(const std::string& what) { return Unavailable(what, "connection_failed"); }

}  // namespace

json::object TextAnswer::Message() const {
  json::object message{{"role", "assistant"}, {"content", content}};
  if (!calls.empty()) {
    json::array list;
    for (const CalledTool& call : calls) {
      list.push_back(json::object{
          {"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
    }
    message["tool_calls"] = std::move(list);
  }
  return message;
}

std::string TextAnswer::Statistics() const {
  // The first token came with the prompt's computation.
  const double rate =
      completion_tokens > 1 && total_s > first_s ? static_cast<double>(completion_tokens - 1) / (total_s - first_s) : 0;
  char text[160];
  std::snprintf(text, sizeof(text), "%lld tokens, %.1f tokens/s, first after %.2f s; prompt of %lld tokens",
                static_cast<long long>(completion_tokens), rate, first_s, static_cast<long long>(prompt_tokens));
  return text + (cached_tokens > 0 ? ", " + std::to_string(cached_tokens) + " known" : "");
}

Status AddChunk(const json::object& chunk, const ShowPiece& show, TextAnswer& answer) {
  if (const auto* error = Object(chunk, "error")) {
    return Unavailable(GetString(*error, "message", "the answer broke off"), GetString(*error, "code", "unavailable"));
  }
  const auto* choices = chunk.if_contains("choices");
  if (choices != nullptr && choices->is_array()) {
    for (const auto& item : choices->get_array()) {
      if (const auto* choice = item.if_object(); choice != nullptr && GetInt(*choice, "index") == 0) {
        AddChoice(*choice, show, answer);
      }
    }
  }
  if (const auto* usage = Object(chunk, "usage")) {
    answer.prompt_tokens = GetInt(*usage, "prompt_tokens");
    answer.completion_tokens = GetInt(*usage, "completion_tokens");
    if (const auto* details = Object(*usage, "prompt_tokens_details")) {
      answer.cached_tokens = GetInt(*details, "cached_tokens");
    }
  }
  return {};
}

Status StreamAnswer(Api& api, const std::string& target, json::object body, const ShowPiece& show, TextAnswer& answer) {
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  HttpRequest request = Asking(target, body);
  request.accept = "text/event-stream";
  const auto begin = Time::now();
  bool whole = false;
  Status outcome;
  SseParser parser([&](const SseEvent& event) {
    whole = whole || event.data == "[DONE]";
    if (whole || !outcome.ok()) {
      return;
    }
    const auto chunk = ParseJson(event.data);
    outcome = chunk.ok() && chunk->is_object() ? AddChunk(chunk->get_object(), show, answer)
                                               : Status(BadStream("the server's answer is not what it should be"));
    if (answer.first_s == 0 && !answer.empty()) {
      answer.first_s = SecondsSince(begin);
    }
  });
  const auto response = api.http().Send(request, [&](std::string_view bytes) {
    parser.Feed(bytes);
    return outcome;
  });
  answer.total_s = SecondsSince(begin);
  if (!response.ok()) {
    return response.error();
  }
  if (response->status != 200) {
    return ErrorOfAnswer(*response);
  }
  ATELIER_TRY(std::move(outcome));
  return whole ? Status() : Status(BadStream("the answer broke off"));
}

Result<json::object> WholeAnswer(Api& api, const std::string& target, const json::object& body) {
  HttpRequest request = Asking(target, body);
  request.read_timeout_s = kWholeAnswerTimeoutS;
  return api.Call(request);
}

}  // namespace atelier::cli

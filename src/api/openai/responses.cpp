// POST, GET and DELETE /v1/responses.
#include <algorithm>
#include <array>
#include <utility>

#include "api/handlers.h"
#include "api/openai/constraint_fields.h"
#include "api/openai/response_answer.h"
#include "api/openai/response_fields.h"
#include "api/openai/sampling_fields.h"
#include "api/text/models.h"
#include "base/ids.h"

namespace atelier::api::openai {
namespace {

struct Question {
  std::string model;
  engine::GenerationRequest request;
  json::array messages;  // with those of the previous response, without instructions
  json::object echo;
  bool stream = false;
  bool store = true;
  bool logprobs = false;
};

constexpr std::array<std::string_view, 3> kUnsupported{"conversation", "prompt", "context_management"};

Status CheckUnsupported(Fields& fields) {
  for (const auto key : kUnsupported) {
    if (fields.Has(key)) {
      return InvalidArgument("'" + std::string(key) + "' is not supported", std::string(key), "unsupported_parameter");
    }
  }
  ATELIER_ASSIGN(background, fields.BoolOr("background", false));
  if (background) {
    return InvalidArgument("'background' is not supported", "background", "unsupported_parameter");
  }
  return {};
}

Status ReadPrevious(const Services& services, const Request& request, Fields& fields, json::array& messages) {
  ATELIER_ASSIGN(id, fields.StringOr("previous_response_id", ""));
  if (id.empty()) {
    return {};
  }
  const auto stored = services.responses->Get(id, request.key_id);
  if (!stored.has_value()) {
    Error error = NotFound("there is no response '" + id + "'", "previous_response_not_found");
    error.param = "previous_response_id";
    return error;
  }
  ATELIER_ASSIGN(value, ParseJson(stored->messages, {.max_bytes = stored->messages.size()}));
  messages = std::move(value.as_array());
  return {};
}

Status ReadSettings(Fields& fields, const json::object& body, Rng& rng, Question& question) {
  auto& request = question.request;
  ATELIER_TRY(ReadSampling(fields, body, rng, request));
  if (request.choices != 1) {
    return InvalidArgument("'n' is not supported here", "n", "unsupported_parameter");
  }
  ATELIER_ASSIGN(length, fields.IntOr("max_output_tokens", 0, 1, kMaxTokens));
  request.max_tokens = static_cast<int32_t>(length);
  ATELIER_ASSIGN(top, fields.IntOr("top_logprobs", 0, 0, engine::kMaxTopLogprobs));
  ATELIER_ASSIGN(include, fields.StringsOr("include", {}, 32));
  question.logprobs =
      top > 0 || std::find(include.begin(), include.end(), "message.output_text.logprobs") != include.end();
  if (question.logprobs) {
    request.sampling.top_logprobs = static_cast<int32_t>(top);
  }
  ATELIER_ASSIGN(text, fields.ObjectOr("text"));
  if (text != nullptr) {
    Fields inner(*text, "text");
    ATELIER_ASSIGN(format, inner.ObjectOr("format"));
    if (format != nullptr) {
      ATELIER_ASSIGN(constraint, ReadFormat(*format, "text.format", true));
      request.constraint = std::move(constraint);
    }
  }
  return {};
}

// What the answer repeats, with the defaults.
json::object EchoOf(const json::object& body, const Question& question, int64_t created) {
  json::object echo{{"created_at", created},
                    {"model", question.model},
                    {"background", false},
                    {"instructions", nullptr},
                    {"max_output_tokens", nullptr},
                    {"max_tool_calls", nullptr},
                    {"metadata", json::object()},
                    {"parallel_tool_calls", true},
                    {"previous_response_id", nullptr},
                    {"reasoning", {{"effort", nullptr}, {"summary", nullptr}}},
                    {"service_tier", "default"},
                    {"store", question.store},
                    {"temperature", 1.0},
                    {"text", {{"format", {{"type", "text"}}}}},
                    {"tool_choice", "auto"},
                    {"tools", json::array()},
                    {"top_logprobs", 0},
                    {"top_p", 1.0},
                    {"truncation", "disabled"},
                    {"user", nullptr}};
  for (auto& [key, value] : echo) {
    const auto* given = body.if_contains(key);
    if (given != nullptr && !given->is_null() && key != "created_at" && key != "model") {
      value = *given;
    }
  }
  return echo;
}

Result<Question> ReadQuestion(const Services& services, const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  Question question;
  ATELIER_ASSIGN(model, text::ReadModel(fields));
  question.model = std::move(model);
  ATELIER_TRY(CheckUnsupported(fields));
  ATELIER_TRY(ReadPrevious(services, request, fields, question.messages));
  ATELIER_TRY(ReadInput(body, question.messages));
  ATELIER_ASSIGN(chat, ReadResponseChat(fields, body, question.messages));
  question.request.prompt = std::move(chat);
  ATELIER_TRY(ReadSettings(fields, body, services.rng, question));
  ATELIER_ASSIGN(stream, fields.BoolOr("stream", false));
  question.stream = stream;
  ATELIER_ASSIGN(store, fields.BoolOr("store", true));
  question.store = store;
  question.request.parse_chat = true;
  question.request.request_id = request.id;
  question.echo = EchoOf(body, question, Seconds(services.clock.UnixMs()));
  return question;
}

// Keeps an answer for later requests: its items are the newest of the conversation.
auto Keeper(const Services& services, const Request& request, const std::string& id, json::array messages) {
  return [store = services.responses, key_id = request.key_id, id, messages = std::move(messages)](
             const json::object& body, const json::array& output) {
    json::array all = messages;
    if (ReadInput({{"input", output}}, all).ok()) {
      store->Put(id, {key_id, json::serialize(body), json::serialize(all)});
    }
  };
}

Error NoResponse(const std::string& id) { return NotFound("there is no response '" + id + "'", "response_not_found"); }

}  // namespace

Status Responses(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadQuestion(services, request));
  ATELIER_ASSIGN(model, text::Pin(services, question.model, text::Use::kGenerate));
  ResponseWish wish{NewId("resp_", services.rng), request.id, std::move(question.echo), question.logprobs,
                    &services.clock};
  if (question.store) {
    wish.finished = Keeper(services, request, wish.id, std::move(question.messages));
  }
  text::Work work{std::move(model), {}};
  work.requests.push_back(std::move(question.request));
  if (question.stream) {
    text::RunStream(services, request, std::move(work), MakeResponseStream(std::move(wish)), std::move(done));
    return {};
  }
  const auto make = [wish = std::move(wish)](std::vector<text::Answer> answers) -> Result<Response> {
    return JsonResponse(ResponseObject(wish, answers.front()));
  };
  text::RunWhole(request, std::move(work), make, std::move(done));
  return {};
}

Result<Response> GetResponse(const Services& services, Request& request) {
  const auto& id = request.Param("id");
  auto stored = services.responses->Get(id, request.key_id);
  if (!stored.has_value()) {
    return NoResponse(id);
  }
  Response response;
  response.body = std::move(stored->body);
  return response;
}

Result<Response> DeleteResponse(const Services& services, Request& request) {
  const auto& id = request.Param("id");
  if (!services.responses->Delete(id, request.key_id)) {
    return NoResponse(id);
  }
  return JsonResponse({{"id", id}, {"object", "response"}, {"deleted", true}});
}

}  // namespace atelier::api::openai

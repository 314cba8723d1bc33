// POST /v1/messages and /v1/messages/count_tokens, as Anthropic's clients speak them.
#include <utility>

#include "api/anthropic/answers.h"
#include "api/anthropic/fields.h"
#include "api/handlers.h"
#include "api/openai/constraint_fields.h"
#include "api/openai/sampling_fields.h"
#include "api/text/models.h"
#include "base/ids.h"

namespace atelier::api::anthropic {
namespace {

struct Question {
  std::string model;
  bool stream = false;
  engine::GenerationRequest request;
};

Status ReadSampling(Fields& fields, const json::object& body, Rng& rng, engine::GenerationRequest& request) {
  ATELIER_ASSIGN(length, fields.Int("max_tokens", 1, openai::kMaxTokens));
  request.max_tokens = static_cast<int32_t>(length);
  ATELIER_ASSIGN(temperature, fields.NumberOr("temperature", 1, 0, 1));
  request.sampling.temperature = static_cast<float>(temperature);
  ATELIER_ASSIGN(top_p, fields.NumberOr("top_p", 1, 0, 1));
  request.sampling.top_p = static_cast<float>(top_p);
  ATELIER_ASSIGN(top_k, fields.IntOr("top_k", 0, 0, INT32_MAX));
  request.sampling.top_k = static_cast<int32_t>(top_k);
  ATELIER_ASSIGN(stop, openai::ReadStop(body, "stop_sequences"));
  request.stop = std::move(stop);
  request.sampling.seed = openai::RandomSeed(rng);
  return {};
}

// "output_config": {"format": {"type": "json_schema", "schema"}}
Status ReadFormat(Fields& fields, engine::GenerationRequest& request) {
  ATELIER_ASSIGN(config, fields.ObjectOr("output_config"));
  if (config == nullptr) {
    return {};
  }
  ATELIER_ASSIGN(format, Fields(*config, "output_config").ObjectOr("format"));
  if (format == nullptr) {
    return {};
  }
  json::object named = *format;
  named["name"] = "output";
  ATELIER_ASSIGN(constraint, openai::ReadFormat(named, "output_config.format", true));
  request.constraint = std::move(constraint);
  return {};
}

Result<Question> ReadQuestion(const Services& services, const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  Question question;
  ATELIER_ASSIGN(model, text::ReadModel(fields));
  question.model = std::move(model);
  ATELIER_TRY(ReadSampling(fields, body, services.rng, question.request));
  ATELIER_ASSIGN(chat, ReadConversation(fields, body));
  question.request.prompt = std::move(chat);
  ATELIER_TRY(ReadFormat(fields, question.request));
  ATELIER_ASSIGN(stream, fields.BoolOr("stream", false));
  question.stream = stream;
  question.request.parse_chat = true;
  question.request.request_id = request.id;
  return question;
}

Result<std::pair<std::string, engine::TokenizeRequest>> ReadCount(const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(model, text::ReadModel(fields));
  ATELIER_ASSIGN(chat, ReadConversation(fields, body));
  return std::pair(std::move(model), engine::TokenizeRequest{std::move(chat)});
}

}  // namespace

Status Messages(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadQuestion(services, request));
  ATELIER_ASSIGN(model, text::Pin(services, question.model, text::Use::kGenerate));
  Wish wish{NewId("msg_", services.rng), question.model, request.id};
  text::Work work{std::move(model), {}};
  work.requests.push_back(std::move(question.request));
  if (question.stream) {
    text::RunStream(services, request, std::move(work), MakeStream(std::move(wish)), std::move(done));
    return {};
  }
  const auto make = [wish = std::move(wish)](std::vector<text::Answer> answers) -> Result<Response> {
    return JsonResponse(Message(wish, answers.front()));
  };
  text::RunWhole(request, std::move(work), make, std::move(done));
  return {};
}

Status CountTokens(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadCount(request));
  ATELIER_ASSIGN(model, text::Pin(services, question.first, text::Use::kTokens));
  const auto make = [](const engine::TokenizeAnswer& answer) {
    return JsonResponse({{"input_tokens", answer.tokens.size()}});
  };
  model->Tokenize(std::move(question.second), text::Answering<engine::TokenizeAnswer>(std::move(done), make));
  return {};
}

}  // namespace atelier::api::anthropic

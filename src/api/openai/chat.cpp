// POST /v1/chat/completions.
#include <array>
#include <utility>

#include "api/handlers.h"
#include "api/openai/chat_answer.h"
#include "api/openai/chat_fields.h"
#include "api/openai/constraint_fields.h"
#include "api/openai/sampling_fields.h"
#include "api/text/models.h"
#include "api/text/recording.h"
#include "api/text/run.h"

namespace atelier::api::openai {
namespace {

struct Question {
  std::string model;
  engine::GenerationRequest request;
  StreamFields stream;
};

// Ignoring these would change what the client gets.
constexpr std::array<std::string_view, 5> kUnsupported{"functions", "function_call", "audio", "web_search_options",
                                                       "chat_template"};

Status CheckUnsupported(Fields& fields, const json::object& body) {
  for (const auto key : kUnsupported) {
    if (fields.Has(key)) {
      return InvalidArgument("'" + std::string(key) + "' is not supported", std::string(key), "unsupported_parameter");
    }
  }
  const auto* modalities = body.if_contains("modalities");
  if (modalities != nullptr && !modalities->is_null() && *modalities != json::array{"text"}) {
    return InvalidArgument("'modalities' must be [\"text\"]", "modalities", "unsupported_value");
  }
  return {};
}

Status ReadLength(Fields& fields, engine::GenerationRequest& request) {
  ATELIER_ASSIGN(old_name, fields.IntOr("max_tokens", 0, 1, kMaxTokens));
  ATELIER_ASSIGN(length, fields.IntOr("max_completion_tokens", old_name, 1, kMaxTokens));
  request.max_tokens = static_cast<int32_t>(length);
  return {};
}

Status ReadLogprobs(Fields& fields, engine::GenerationRequest& request) {
  ATELIER_ASSIGN(logprobs, fields.BoolOr("logprobs", false));
  ATELIER_ASSIGN(top, fields.IntOr("top_logprobs", 0, 0, engine::kMaxTopLogprobs));
  if (!logprobs && top > 0) {
    return InvalidArgument("'top_logprobs' is only taken with 'logprobs'", "top_logprobs");
  }
  if (logprobs) {
    request.sampling.top_logprobs = static_cast<int32_t>(top);
  }
  return {};
}

Result<Question> ReadQuestion(const Services& services, const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  Question question;
  ATELIER_ASSIGN(model, text::ReadModel(fields));
  question.model = std::move(model);
  ATELIER_ASSIGN(chat, ReadChat(fields, body));
  question.request.prompt = std::move(chat);
  ATELIER_ASSIGN(prediction, ReadPrediction(fields));
  question.request.prediction = std::move(prediction);
  ATELIER_ASSIGN(stream, ReadStream(fields));
  question.stream = stream;
  ATELIER_TRY(CheckUnsupported(fields, body));
  ATELIER_TRY(ReadSampling(fields, body, services.rng, question.request));
  ATELIER_TRY(ReadLength(fields, question.request));
  ATELIER_TRY(ReadLogprobs(fields, question.request));
  ATELIER_ASSIGN(constraint, ReadConstraint(body));
  question.request.constraint = std::move(constraint);
  question.request.parse_chat = true;
  question.request.request_id = request.id;
  return question;
}

}  // namespace

Status ChatCompletions(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadQuestion(services, request));
  ATELIER_ASSIGN(model, text::Pin(services, question.model, text::Use::kGenerate));
  const auto& asked = question.request;
  ChatWish wish{MakeEnvelope("chatcmpl-", services, question.model, *model),
                request.id,
                asked.choices,
                asked.sampling.top_logprobs.has_value(),
                asked.prompt_logprobs.has_value(),
                asked.return_token_ids,
                question.stream.include_usage,
                asked.sampling.stop_token_ids};
  const auto recording = text::Recording::Begin(services, request, model->served_by(), {wish.envelope.id, "chat"});
  text::Work work{std::move(model), {}};
  work.requests.push_back(std::move(question.request));
  if (question.stream.stream) {
    auto writer = text::Recorded(MakeChatStream(std::move(wish)), recording, work);
    text::RunStream(services, request, std::move(work), std::move(writer), std::move(done));
    return {};
  }
  const auto make = [wish = std::move(wish), recording](std::vector<text::Answer> answers) -> Result<Response> {
    if (recording) {
      recording->End(answers);
    }
    return JsonResponse(ChatCompletion(wish, answers.front()));
  };
  text::RunWhole(request, std::move(work), make, std::move(done));
  return {};
}

}  // namespace atelier::api::openai

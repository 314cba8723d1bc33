// POST /v1/completions.
#include <utility>

#include "api/handlers.h"
#include "api/openai/completion_answer.h"
#include "api/openai/constraint_fields.h"
#include "api/openai/prompts.h"
#include "api/openai/sampling_fields.h"
#include "api/text/models.h"
#include "api/text/recording.h"
#include "api/text/run.h"

namespace atelier::api::openai {
namespace {

constexpr int64_t kDefaultTokens = 16;
constexpr size_t kMaxChoicesInAll = 4096;

struct Question {
  std::string model;
  std::vector<engine::Prompt> prompts;
  engine::GenerationRequest request;  // without a prompt
  StreamFields stream;
};

Status CheckUnsupported(Fields& fields) {
  ATELIER_ASSIGN(suffix, fields.StringOr("suffix", ""));
  if (!suffix.empty()) {
    return InvalidArgument("'suffix' is not supported", "suffix", "unsupported_parameter");
  }
  if (fields.Has("prompt_embeds")) {
    return InvalidArgument("'prompt_embeds' is not supported", "prompt_embeds", "unsupported_parameter");
  }
  return {};
}

Status ReadCompletion(Fields& fields, engine::GenerationRequest& request) {
  ATELIER_ASSIGN(length, fields.IntOr("max_tokens", kDefaultTokens, 0, kMaxTokens));
  request.max_tokens = length == 0 ? engine::kPromptOnly : static_cast<int32_t>(length);
  ATELIER_ASSIGN(echo, fields.BoolOr("echo", false));
  request.echo = echo;
  if (fields.Has("logprobs")) {
    ATELIER_ASSIGN(top, fields.Int("logprobs", 0, engine::kMaxTopLogprobs));
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
  ATELIER_ASSIGN(add_special, fields.BoolOr("add_special_tokens", true));
  ATELIER_ASSIGN(prompts, ReadPrompts(body, "prompt", add_special));
  question.prompts = std::move(prompts);
  ATELIER_ASSIGN(stream, ReadStream(fields));
  question.stream = stream;
  ATELIER_TRY(CheckUnsupported(fields));
  ATELIER_TRY(ReadSampling(fields, body, services.rng, question.request));
  ATELIER_TRY(ReadCompletion(fields, question.request));
  ATELIER_ASSIGN(constraint, ReadConstraint(body));
  question.request.constraint = std::move(constraint);
  if (question.prompts.size() * static_cast<size_t>(question.request.choices) > kMaxChoicesInAll) {
    return InvalidArgument("a request may have at most " + std::to_string(kMaxChoicesInAll) + " answers", "n");
  }
  return question;
}

// One request a prompt; the seeds of prompts that are alike differ.
std::vector<engine::GenerationRequest> Requests(Question question, const std::string& id) {
  std::vector<engine::GenerationRequest> requests;
  for (auto& prompt : question.prompts) {
    auto request = question.request;
    request.prompt = std::move(prompt);
    request.request_id = question.prompts.size() == 1 ? id : id + "-" + std::to_string(requests.size());
    request.sampling.seed += requests.size() * static_cast<size_t>(request.choices);
    requests.push_back(std::move(request));
  }
  return requests;
}

}  // namespace

Status Completions(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadQuestion(services, request));
  ATELIER_ASSIGN(model, text::Pin(services, question.model, text::Use::kGenerate));
  const auto& asked = question.request;
  CompletionWish wish{MakeEnvelope("cmpl-", services, question.model, *model),
                      request.id,
                      question.prompts.size(),
                      asked.choices,
                      asked.sampling.top_logprobs.has_value(),
                      asked.echo,
                      asked.prompt_logprobs.has_value(),
                      asked.return_token_ids,
                      question.stream.include_usage,
                      asked.sampling.stop_token_ids};
  const bool stream = question.stream.stream;
  const auto recording =
      text::Recording::Begin(services, request, model->served_by(), {wish.envelope.id, "completion"});
  text::Work work{std::move(model), Requests(std::move(question), request.id)};
  if (stream) {
    auto writer = text::Recorded(MakeCompletionStream(std::move(wish)), recording, work);
    text::RunStream(services, request, std::move(work), std::move(writer), std::move(done));
    return {};
  }
  const auto make = [wish = std::move(wish), recording](std::vector<text::Answer> answers) -> Result<Response> {
    if (recording) {
      recording->End(answers);
    }
    return JsonResponse(Completion(wish, answers));
  };
  text::RunWhole(request, std::move(work), make, std::move(done));
  return {};
}

}  // namespace atelier::api::openai

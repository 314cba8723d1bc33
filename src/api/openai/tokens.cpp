// POST /tokenize and /detokenize, in vLLM's shape.
#include <utility>

#include "api/handlers.h"
#include "api/openai/chat_fields.h"
#include "api/openai/sampling_fields.h"
#include "api/openai/shapes.h"
#include "api/text/models.h"
#include "api/text/run.h"

namespace atelier::api::openai {
namespace {

constexpr size_t kMaxPromptBytes = 8U << 20U;
constexpr size_t kMaxTokensOnce = 4U << 20U;

struct Question {
  std::string model;
  bool pieces = false;
  engine::TokenizeRequest request;
};

Result<Question> ReadQuestion(const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  Question question;
  ATELIER_ASSIGN(model, text::ReadModel(fields));
  question.model = std::move(model);
  ATELIER_ASSIGN(pieces, fields.BoolOr("return_token_strs", false));
  question.pieces = pieces;
  if (fields.Has("messages")) {
    ATELIER_ASSIGN(chat, ReadChat(fields, body));
    question.request.prompt = std::move(chat);
  } else {
    ATELIER_ASSIGN(prompt, fields.String("prompt", kMaxPromptBytes));
    ATELIER_ASSIGN(add_special, fields.BoolOr("add_special_tokens", true));
    question.request.prompt = engine::TextPrompt{std::move(prompt), add_special};
  }
  return question;
}

Response AnswerOf(const engine::TokenizeAnswer& answer, bool pieces) {
  json::object body{{"count", answer.tokens.size()},
                    {"max_model_len", answer.max_context},
                    {"tokens", IdArray(answer.tokens)},
                    {"token_strs", nullptr}};
  if (pieces) {
    json::array texts;
    for (const auto& piece : answer.pieces) {
      texts.push_back(json::value(TokenText(piece)));
    }
    body["token_strs"] = std::move(texts);
  }
  return JsonResponse(body);
}

Result<std::pair<std::string, std::vector<int32_t>>> ReadDetokenize(const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(model, text::ReadModel(fields));
  ATELIER_ASSIGN(given, fields.ArrayOr("tokens", kMaxTokensOnce));
  if (given == nullptr) {
    return InvalidArgument("'tokens' is missing: a list of token ids", "tokens", "missing_required_parameter");
  }
  ATELIER_ASSIGN(tokens, ReadTokens(*given, "tokens"));
  return std::pair(std::move(model), std::move(tokens));
}

}  // namespace

Status Tokenize(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadQuestion(request));
  ATELIER_ASSIGN(model, text::Pin(services, question.model, text::Use::kTokens));
  const auto make = [pieces = question.pieces](const engine::TokenizeAnswer& answer) {
    return AnswerOf(answer, pieces);
  };
  model->Tokenize(std::move(question.request), text::Answering<engine::TokenizeAnswer>(std::move(done), make));
  return {};
}

Status Detokenize(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadDetokenize(request));
  ATELIER_ASSIGN(model, text::Pin(services, question.first, text::Use::kTokens));
  const auto make = [](const std::string& text) { return JsonResponse({{"prompt", TokenText(text)}}); };
  model->Detokenize(std::move(question.second), text::Answering<std::string>(std::move(done), make));
  return {};
}

}  // namespace atelier::api::openai

// POST /v1/rerank, in the shape of Jina, Cohere and vLLM.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "api/handlers.h"
#include "api/text/models.h"
#include "api/text/run.h"
#include "base/ids.h"

namespace atelier::api::openai {
namespace {

constexpr size_t kMaxDocuments = 2048;
constexpr size_t kMaxTextBytes = 8U << 20U;

struct Question {
  std::string model;
  size_t top_n = kMaxDocuments;
  bool with_documents = true;
  engine::RerankRequest request;
};

Result<std::string> DocumentText(const json::value& value, const std::string& path) {
  if (value.is_string()) {
    return std::string(value.get_string());
  }
  if (!value.is_object()) {
    return InvalidArgument("'" + path + "' must be a string or {\"text\": ...}", path);
  }
  Fields fields(value.get_object(), path);
  return fields.String("text", kMaxTextBytes);
}

Result<Question> ReadQuestion(const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  Question question;
  ATELIER_ASSIGN(model, text::ReadModel(fields));
  question.model = std::move(model);
  ATELIER_ASSIGN(query, fields.String("query", kMaxTextBytes));
  question.request.query = std::move(query);
  ATELIER_ASSIGN(documents, fields.ArrayOr("documents", kMaxDocuments));
  if (documents == nullptr || documents->empty()) {
    return InvalidArgument("'documents' must be a list with at least one document", "documents",
                           documents == nullptr ? "missing_required_parameter" : "invalid_value");
  }
  for (size_t i = 0; i < documents->size(); ++i) {
    ATELIER_ASSIGN(text, DocumentText((*documents)[i], "documents[" + std::to_string(i) + "]"));
    question.request.documents.push_back(std::move(text));
  }
  ATELIER_ASSIGN(top_n, fields.IntOr("top_n", kMaxDocuments, 0, INT32_MAX));
  question.top_n = top_n == 0 ? kMaxDocuments : static_cast<size_t>(top_n);  // vLLM's 0: all
  ATELIER_ASSIGN(with_documents, fields.BoolOr("return_documents", true));
  question.with_documents = with_documents;
  question.request.request_id = request.id;
  return question;
}

struct Wish {
  std::string id;
  std::string model;
  size_t top_n;
  std::vector<std::string> documents;  // empty: not wanted
};

Response AnswerOf(const engine::RerankAnswer& answer, const Wish& wish) {
  std::vector<size_t> order(answer.scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const float x = std::isnan(answer.scores[a]) ? -1.0F : answer.scores[a];
    const float y = std::isnan(answer.scores[b]) ? -1.0F : answer.scores[b];
    return x > y;
  });
  order.resize(std::min(order.size(), wish.top_n));
  json::array results;
  for (const size_t index : order) {
    const float score = answer.scores[index];
    json::object result{{"index", index}, {"relevance_score", std::isfinite(score) ? score : 0.0F}};
    if (index < wish.documents.size()) {
      result["document"] = {{"text", wish.documents[index]}};
    }
    results.push_back(std::move(result));
  }
  return JsonResponse({{"id", wish.id},
                       {"model", wish.model},
                       {"results", std::move(results)},
                       {"usage", {{"prompt_tokens", answer.prompt_tokens}, {"total_tokens", answer.prompt_tokens}}}});
}

}  // namespace

Status Rerank(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadQuestion(request));
  ATELIER_ASSIGN(model, text::Pin(services, question.model, text::Use::kRerank));
  Wish wish{NewId("rerank-", services.rng), question.model, question.top_n, {}};
  if (question.with_documents) {
    wish.documents = question.request.documents;
  }
  const auto make = [wish = std::move(wish)](const engine::RerankAnswer& answer) { return AnswerOf(answer, wish); };
  model->Rerank(std::move(question.request), text::Answering<engine::RerankAnswer>(std::move(done), make));
  return {};
}

}  // namespace atelier::api::openai

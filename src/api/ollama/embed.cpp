// POST /api/embed, and the older /api/embeddings.
#include <utility>

#include "api/handlers.h"
#include "api/json_text.h"
#include "api/ollama/fields.h"
#include "api/openai/prompts.h"
#include "api/text/models.h"
#include "api/text/run.h"
#include "base/clock.h"

namespace atelier::api::ollama {
namespace {

void AppendVector(const std::vector<float>& vector, std::string& out) {
  out += '[';
  for (size_t i = 0; i < vector.size(); ++i) {
    out += i == 0 ? "" : ",";
    AppendJson(vector[i], out);
  }
  out += ']';
}

Response NewAnswer(const engine::EmbeddingAnswer& answer, const std::string& model, int64_t took_ns) {
  Response response;
  std::string& out = response.body;
  out = "{\"model\":";
  AppendJson(model, out);
  out += ",\"embeddings\":[";
  for (size_t i = 0; i < answer.vectors.size(); ++i) {
    out += i == 0 ? "" : ",";
    AppendVector(answer.vectors[i], out);
  }
  out += "],\"total_duration\":" + std::to_string(took_ns) +
         ",\"load_duration\":0,\"prompt_eval_count\":" + std::to_string(answer.prompt_tokens) + "}";
  return response;
}

Response OldAnswer(const engine::EmbeddingAnswer& answer) {
  Response response;
  response.body = "{\"embedding\":";
  AppendVector(answer.vectors.empty() ? std::vector<float>() : answer.vectors.front(), response.body);
  response.body += '}';
  return response;
}

struct Question {
  std::string model;
  engine::EmbeddingRequest request;
};

Result<Question> ReadQuestion(const Request& request, std::string_view field) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  Question question;
  ATELIER_ASSIGN(model, ReadModel(fields));
  question.model = std::move(model);
  ATELIER_ASSIGN(dimensions, fields.IntOr("dimensions", 0, 1, INT32_MAX));
  question.request.dimensions = static_cast<int32_t>(dimensions);
  ATELIER_ASSIGN(inputs, openai::ReadPrompts(body, field, true));
  question.request.inputs = std::move(inputs);
  question.request.request_id = request.id;
  return question;
}

Status Run(const Services& services, Request& request, bool old, Done done) {
  ATELIER_ASSIGN(question, ReadQuestion(request, old ? "prompt" : "input"));
  ATELIER_ASSIGN(model, text::Pin(services, question.model, text::Use::kEmbed));
  const auto make = [name = question.model, old, &clock = services.clock,
                     start_ns = services.clock.MonotonicNs()](const engine::EmbeddingAnswer& answer) {
    return old ? OldAnswer(answer) : NewAnswer(answer, name, clock.MonotonicNs() - start_ns);
  };
  model->Embed(std::move(question.request), text::Answering<engine::EmbeddingAnswer>(std::move(done), make));
  return {};
}

}  // namespace

Status Embed(const Services& services, Request& request, Done done) {
  return Run(services, request, false, std::move(done));
}

Status OldEmbed(const Services& services, Request& request, Done done) {
  return Run(services, request, true, std::move(done));
}

}  // namespace atelier::api::ollama

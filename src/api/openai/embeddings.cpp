// POST /v1/embeddings.
#include <algorithm>
#include <utility>

#include "api/handlers.h"
#include "api/json_text.h"
#include "api/openai/prompts.h"
#include "api/text/base64.h"
#include "api/text/models.h"
#include "api/text/run.h"
#include "serving/deployments.h"

namespace atelier::api::openai {
namespace {

constexpr size_t kMaxWordBytes = 64;

struct Question {
  std::string model;
  bool base64 = false;
  engine::EmbeddingRequest request;
};

Result<Question> ReadQuestion(const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  Question question;
  ATELIER_ASSIGN(model, text::ReadModel(fields));
  question.model = std::move(model);
  ATELIER_ASSIGN(format, fields.StringOr("encoding_format", "float", kMaxWordBytes));
  if (format != "float" && format != "base64") {
    return InvalidArgument("'encoding_format' must be float or base64", "encoding_format");
  }
  question.base64 = format == "base64";
  ATELIER_ASSIGN(dimensions, fields.IntOr("dimensions", 0, 1, INT32_MAX));
  question.request.dimensions = static_cast<int32_t>(dimensions);
  ATELIER_ASSIGN(add_special, fields.BoolOr("add_special_tokens", true));
  ATELIER_ASSIGN(inputs, ReadPrompts(body, "input", add_special));
  for (const auto& input : inputs) {
    const auto* text = std::get_if<engine::TextPrompt>(&input);
    if (text != nullptr && text->text.empty()) {
      return InvalidArgument("'input' must not have an empty string", "input");
    }
  }
  question.request.inputs = std::move(inputs);
  question.request.request_id = request.id;
  return question;
}

void AppendVector(const std::vector<float>& vector, bool base64, std::string& out) {
  if (base64) {
    out += '"' + text::EncodeFloats(vector) + '"';
    return;
  }
  out += '[';
  for (size_t i = 0; i < vector.size(); ++i) {
    out += i == 0 ? "" : ",";
    AppendJson(vector[i], out);
  }
  out += ']';
}

Response AnswerOf(const engine::EmbeddingAnswer& answer, const std::string& model, bool base64) {
  Response response;
  std::string& out = response.body;
  out = R"({"object":"list","data":[)";
  for (size_t i = 0; i < answer.vectors.size(); ++i) {
    out += i == 0 ? "" : ",";
    out += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":)";
    AppendVector(answer.vectors[i], base64, out);
    out += '}';
  }
  out += R"(],"model":)";
  AppendJson(model, out);
  const std::string tokens = std::to_string(answer.prompt_tokens);
  out += R"(,"usage":{"prompt_tokens":)" + tokens + R"(,"total_tokens":)" + tokens + "}}";
  return response;
}

// A model that is no language model, but gives a vector for a text: word vectors, or an encoder.
Result<serving::PredictRequest> AsPrediction(const Question& question) {
  if (question.request.dimensions > 0) {
    return InvalidArgument("the vectors of '" + question.model + "' cannot be shortened", "dimensions");
  }
  serving::PredictRequest request{.request_id = question.request.request_id, .model = question.model, .instances = {}};
  for (const auto& input : question.request.inputs) {
    const auto* text = std::get_if<engine::TextPrompt>(&input);
    if (text == nullptr) {
      return InvalidArgument("'" + question.model + "' takes texts, not tokens", "input");
    }
    request.instances.emplace_back(serving::Text{text->text});
  }
  return request;
}

Status EmbedByPrediction(const Services& services, const Question& question, Done done) {
  ATELIER_ASSIGN(request, AsPrediction(question));
  const auto answered = [name = question.model, base64 = question.base64,
                         done = std::move(done)](Result<serving::PredictAnswer> answer) {
    if (!answer.ok()) {
      done(std::move(answer).error());
    } else if (answer->signature->task != "feature-extraction") {
      done(InvalidArgument("the model '" + name + "' does not embed texts", "model", "model_not_supported"));
    } else {
      engine::EmbeddingAnswer vectors;
      for (auto& one : answer->answers) {
        vectors.vectors.push_back(std::move(one.values));
      }
      done(AnswerOf(vectors, name, base64));
    }
  };
  services.serving.Predict(std::move(request), answered);
  return {};
}

}  // namespace

Status Embeddings(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadQuestion(request));
  auto pinned = text::Pin(services, question.model, text::Use::kEmbed);
  if (!pinned.ok() && pinned.error().reason == "model_not_supported") {
    return EmbedByPrediction(services, question, std::move(done));
  }
  ATELIER_ASSIGN(model, std::move(pinned));
  const int32_t width = model->description().embedding_width;
  if (width > 0 && question.request.dimensions > width) {
    return InvalidArgument("'dimensions' must be at most " + std::to_string(width), "dimensions");
  }
  const auto make = [name = question.model, base64 = question.base64](const engine::EmbeddingAnswer& answer) {
    return AnswerOf(answer, name, base64);
  };
  model->Embed(std::move(question.request), text::Answering<engine::EmbeddingAnswer>(std::move(done), make));
  return {};
}

}  // namespace atelier::api::openai

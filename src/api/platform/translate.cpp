// POST /v1/translate: texts in, their translations out.
#include "api/handlers.h"
#include "api/json_text.h"
#include "base/clock.h"
#include "serving/deployments.h"

namespace atelier::api::platform {
namespace {

constexpr size_t kMaxTexts = 1024;
constexpr size_t kMaxTextBytes = size_t{1} << 20U;

Result<std::vector<serving::Instance>> Texts(Fields& fields, const json::object& body) {
  const json::value* input = body.if_contains("input");
  if (input != nullptr && input->is_string()) {
    ATELIER_ASSIGN(text, fields.String("input", kMaxTextBytes));
    return std::vector<serving::Instance>{serving::Text{std::move(text)}};
  }
  ATELIER_ASSIGN(texts, fields.ArrayOr("input", kMaxTexts));
  std::vector<serving::Instance> out;
  if (texts != nullptr) {
    for (const auto& text : *texts) {
      if (!text.is_string() || text.get_string().size() > kMaxTextBytes) {
        return InvalidArgument("'input[" + std::to_string(out.size()) + "]' must be a text of at most 1 MiB", "input");
      }
      out.emplace_back(serving::Text{std::string(text.get_string())});
    }
  }
  return out.empty() ? Result<std::vector<serving::Instance>>(InvalidArgument(
                           "'input' is missing: a text, or a list of texts", "input", "missing_required_parameter"))
                     : std::move(out);
}

Result<Response> Answer(const serving::PredictAnswer& answer, const std::string& request_id, int64_t created) {
  if (answer.signature->task != "text2text-generation") {
    return InvalidArgument("the model does not translate: it is for " + answer.signature->task, "model",
                           "model_not_supported");
  }
  Response response;
  response.worker_ns = answer.worker_ns;
  std::string& out = response.body;
  out += "{\"id\":";
  AppendJson(request_id, out);
  out += ",\"object\":\"translation.list\",\"created\":" + std::to_string(created) + ",\"model\":";
  AppendJson(answer.model_name + "@" + std::to_string(answer.model_version), out);
  out += ",\"data\":[";
  for (size_t i = 0; i < answer.answers.size(); ++i) {
    const auto& texts = answer.answers[i].texts;
    const auto& scores = answer.answers[i].values;
    out +=
        (i == 0 ? "" : ",") + std::string("{\"object\":\"translation\",\"index\":") + std::to_string(i) + ",\"text\":";
    AppendJson(texts.empty() ? std::string_view() : texts.front(), out);
    out += ",\"score\":";
    AppendJson(scores.empty() ? 0.0F : scores.front(), out);
    out += '}';
  }
  out += "],\"usage\":{\"instances\":" + std::to_string(answer.answers.size()) + "}}";
  return response;
}

}  // namespace

Status Translate(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(model, fields.String("model", 300));
  ATELIER_ASSIGN(texts, Texts(fields, body));
  ATELIER_TRY(fields.RejectUnknown());
  serving::PredictRequest predict;
  predict.model = std::move(model);
  predict.instances = std::move(texts);
  predict.request_id = request.id;
  services.serving.Predict(std::move(predict), [id = request.id, created = Seconds(services.clock.UnixMs()),
                                                done = std::move(done)](Result<serving::PredictAnswer> answer) {
    if (answer.ok()) {
      done(Answer(*answer, id, created));
      return;
    }
    Error error = std::move(answer).error();
    if (error.code == Code::kInvalidArgument && error.param.empty()) {
      error.param = "input";
    }
    done(std::move(error));
  });
  return {};
}

}  // namespace atelier::api::platform

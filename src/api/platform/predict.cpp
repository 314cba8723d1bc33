// POST /v1/predict: the short way from instances to labels.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "api/handlers.h"
#include "api/instances.h"
#include "api/json_text.h"
#include "api/platform/traffic.h"
#include "base/clock.h"
#include "serving/deployments.h"

namespace atelier::api::platform {
namespace {

constexpr int64_t kDefaultTop = 5;
constexpr int64_t kMaxTop = 100;

struct Question {
  serving::PredictRequest predict;
  int top_k = kDefaultTop;
};

Result<Question> FromJson(const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  Question question;
  ATELIER_ASSIGN(model, fields.String("model", 300));
  ATELIER_ASSIGN(top_k, fields.IntOr("top_k", kDefaultTop, 1, kMaxTop));
  ATELIER_ASSIGN(instances, ParseInstances(body, fields));
  ATELIER_TRY(fields.RejectUnknown());
  question.predict.model = std::move(model);
  question.predict.instances = std::move(instances);
  question.top_k = static_cast<int>(top_k);
  return question;
}

Result<Question> FromForm(Request& request) {
  auto& form = request.form;
  ATELIER_TRY(form.RejectUnknown({"model", "top_k", "file"}));
  Question question;
  ATELIER_ASSIGN(model, form.Field("model"));
  ATELIER_ASSIGN(text, form.FieldOr("top_k", std::to_string(kDefaultTop)));
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), question.top_k);
  if (error != std::errc() || end != text.data() + text.size() || question.top_k < 1 || question.top_k > kMaxTop) {
    return InvalidArgument("'top_k' must be an integer from 1 to " + std::to_string(kMaxTop), "top_k");
  }
  ATELIER_ASSIGN(instances, FormInstances(form));
  question.predict.model = std::move(model);
  question.predict.instances = std::move(instances);
  return question;
}

std::string LabelOf(const serving::Signature& signature, size_t index) {
  return index < signature.labels.size() ? signature.labels[index] : std::to_string(index);
}

void AppendClasses(const serving::Signature& signature, const std::vector<float>& values, int top_k, std::string& out) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t count = std::min(order.size(), static_cast<size_t>(top_k));
  // NaN sorts last, so that the order is one; equal probabilities go by index.
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](size_t a, size_t b) {
                      const float x = std::isnan(values[a]) ? -1.0F : values[a];
                      const float y = std::isnan(values[b]) ? -1.0F : values[b];
                      return x != y ? x > y : a < b;
                    });
  const size_t best = order.empty() ? 0 : order.front();
  out += ",\"label\":";
  AppendJson(LabelOf(signature, best), out);
  out += ",\"probability\":";
  AppendJson(values.empty() ? 0.0F : values[best], out);
  out += ",\"top\":[";
  for (size_t i = 0; i < count; ++i) {
    out += i == 0 ? "{\"label\":" : ",{\"label\":";
    AppendJson(LabelOf(signature, order[i]), out);
    out += ",\"index\":" + std::to_string(order[i]) + ",\"probability\":";
    AppendJson(values[order[i]], out);
    out += '}';
  }
  out += ']';
}

void AppendTargets(const serving::Signature& signature, const std::vector<float>& values, std::string& out) {
  out += ",\"value\":";
  AppendJson(values.empty() ? std::nanf("") : values.front(), out);
  out += ",\"values\":{";
  for (size_t i = 0; i < values.size(); ++i) {
    out += i == 0 ? "" : ",";
    AppendJson(i < signature.output_fields.size() ? signature.output_fields[i] : "value_" + std::to_string(i), out);
    out += ':';
    AppendJson(values[i], out);
  }
  out += '}';
}

template <class T>
void AppendList(std::string_view name, const std::vector<T>& values, std::string& out) {
  out += ",\"" + std::string(name) + "\":[";
  for (size_t i = 0; i < values.size(); ++i) {
    out += i == 0 ? "" : ",";
    AppendJson(values[i], out);
  }
  out += ']';
}

void AppendTags(const serving::Answer& answer, std::string& out) {
  AppendList("tokens", answer.tokens, out);
  AppendList("tags", answer.texts, out);
  AppendList("probabilities", answer.values, out);
}

void AppendTexts(const serving::Answer& answer, std::string& out) {
  out += ",\"text\":";
  AppendJson(answer.texts.empty() ? std::string() : answer.texts.front(), out);
  AppendList("texts", answer.texts, out);
  AppendList("scores", answer.values, out);
}

void AppendPrediction(const serving::Signature& signature, const serving::Answer& answer, int top_k, std::string& out) {
  if (signature.task == "regression") {
    AppendTargets(signature, answer.values, out);
  } else if (signature.task == "forecasting") {
    AppendList("forecast", answer.values, out);
  } else if (signature.task == "token-classification") {
    AppendTags(answer, out);
  } else if (signature.task == "text2text-generation") {
    AppendTexts(answer, out);
  } else if (signature.task == "feature-extraction" && !answer.texts.empty()) {  // words near one
    AppendTexts(answer, out);
  } else if (signature.task == "feature-extraction") {
    AppendList("embedding", answer.values, out);
  } else {
    AppendClasses(signature, answer.values, top_k, out);
  }
}

Response Answer(const serving::PredictAnswer& answer, const std::string& request_id, int64_t created, int top_k) {
  Response response;
  response.worker_ns = answer.worker_ns;
  std::string& out = response.body;
  out.reserve(256 + answer.answers.size() * 64 * static_cast<size_t>(std::min(top_k, 10)));
  out += "{\"id\":";
  AppendJson(request_id, out);
  out += ",\"object\":\"prediction.list\",\"created\":" + std::to_string(created) + ",\"model\":";
  AppendJson(answer.model_name + "@" + std::to_string(answer.model_version), out);
  out += ",\"deployment\":";
  AppendJson(answer.deployment, out);
  out += ",\"data\":[";
  for (size_t i = 0; i < answer.answers.size(); ++i) {
    out += i == 0 ? "" : ",";
    out += "{\"object\":\"prediction\",\"index\":" + std::to_string(i);
    AppendPrediction(*answer.signature, answer.answers[i], top_k, out);
    out += '}';
  }
  out += "],\"usage\":{\"instances\":" + std::to_string(answer.answers.size()) + "}}";
  return response;
}

}  // namespace

Status Predict(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, request.is_form ? FromForm(request) : FromJson(request));
  if (question.predict.model.empty()) {
    return InvalidArgument("'model' is empty", "model");
  }
  question.predict.request_id = request.id;
  const auto answered = [id = request.id, created = Seconds(services.clock.UnixMs()), top_k = question.top_k,
                         recording = PredictionRecording(services, request, question.predict.model),
                         done = std::move(done)](Result<serving::PredictAnswer> answer) {
    if (answer.ok()) {
      Response response = Answer(*answer, id, created, top_k);
      recording.End(*answer, response.body);
      done(std::move(response));
      return;
    }
    Error error = std::move(answer).error();
    if (error.code == Code::kInvalidArgument && error.param.empty()) {
      error.param = "inputs";  // all that a worker looks at
    }
    done(std::move(error));
  };
  services.serving.Predict(std::move(question.predict), answered);
  return {};
}

}  // namespace atelier::api::platform

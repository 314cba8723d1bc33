// POST /v2/models/{model}[/versions/{version}]/infer
#include "api/handlers.h"
#include "api/kserve/models.h"
#include "api/kserve/tensors.h"

namespace atelier::api::kserve {
namespace {

struct Question {
  serving::PredictRequest predict;
  std::string id;
  std::string model;
  std::vector<WantedOutput> outputs;
};

Result<Question> Parse(const Services& services, const Request& request) {
  ATELIER_ASSIGN(status, FindServed(services, request));
  if (status.signature == nullptr) {
    return Unavailable("the model is loading", "model_loading");
  }
  const auto json_length = request.Header("inference-header-content-length");
  if (json_length.has_value() && *json_length != std::to_string(request.body.size())) {
    return InvalidArgument("binary tensors are not supported: the whole body must be JSON");
  }
  ATELIER_ASSIGN(body, request.Json());
  ATELIER_ASSIGN(infer, ParseInfer(body, *status.signature));
  const std::string& version = request.Param("version");
  Question question;
  question.predict.request_id = request.id;
  question.predict.model = version.empty() ? status.deployment.name : status.deployment.model_name + "@" + version;
  question.predict.instances = std::move(infer.instances);
  question.id = std::move(infer.id);
  question.model = status.deployment.name;
  question.outputs = std::move(infer.outputs);
  return question;
}

Result<Response> Answer(const serving::PredictAnswer& answer, const std::string& id, const std::string& model,
                        const std::vector<WantedOutput>& wanted) {
  ATELIER_ASSIGN(outputs, MakeOutputs(answer, wanted));
  json::object body{{"model_name", model}, {"model_version", std::to_string(answer.model_version)}};
  if (!id.empty()) {
    body["id"] = id;
  }
  body["outputs"] = std::move(outputs);
  Response response = JsonResponse(body);
  response.worker_ns = answer.worker_ns;
  return response;
}

}  // namespace

Status Infer(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, Parse(services, request));
  services.serving.Predict(std::move(question.predict),
                           [id = std::move(question.id), model = std::move(question.model),
                            outputs = std::move(question.outputs), done = std::move(done)](auto answer) {
                             done(answer.ok() ? Answer(*answer, id, model, outputs) : Result<Response>(answer.error()));
                           });
  return {};
}

}  // namespace atelier::api::kserve

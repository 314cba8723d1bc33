// GET /v1/models: what can be asked for an answer, in OpenAI's shape.
#include "api/handlers.h"
#include "serving/deployments.h"

namespace atelier::api::openai {
namespace {

json::object ModelObject(const registry::Deployment& deployment) {
  return {{"id", deployment.name},
          {"object", "model"},
          {"created", Seconds(deployment.created_ms)},
          {"owned_by", "atelier"}};
}

}  // namespace

Result<Response> ListModels(const Services& services, Request& /*request*/) {
  json::array data;
  for (const auto& status : services.serving.All()) {
    data.push_back(ModelObject(status.deployment));
  }
  return JsonResponse({{"object", "list"}, {"data", std::move(data)}});
}

Result<Response> GetModel(const Services& services, Request& request) {
  const auto status = services.serving.GetStatus(request.Param("id"));
  if (!status.ok()) {
    return NotFound("no model is deployed under that name", "model_not_found");
  }
  return JsonResponse(ModelObject(status->deployment));
}

}  // namespace atelier::api::openai

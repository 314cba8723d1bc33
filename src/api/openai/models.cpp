// GET /v1/models: what can be asked for an answer, in OpenAI's shape; in Anthropic's for its clients.
#include "api/handlers.h"
#include "serving/deployments.h"

namespace atelier::api::openai {
namespace {

// Anthropic's clients always send this field, others never.
bool IsForAnthropic(const Request& request) { return request.Header("anthropic-version").has_value(); }

json::object ModelObject(const registry::Deployment& deployment, const Request& request) {
  if (IsForAnthropic(request)) {
    return {{"type", "model"},
            {"id", deployment.name},
            {"display_name", deployment.name},
            {"created_at", Rfc3339(deployment.created_ms)}};
  }
  return {{"id", deployment.name},
          {"object", "model"},
          {"created", Seconds(deployment.created_ms)},
          {"owned_by", "atelier"}};
}

}  // namespace

Result<Response> ListModels(const Services& services, Request& request) {
  json::array data;
  for (const auto& status : services.serving.All()) {
    data.push_back(ModelObject(status.deployment, request));
  }
  if (IsForAnthropic(request)) {
    json::object list = ListObject(std::move(data), false);
    list.erase("object");
    return JsonResponse(list);
  }
  return JsonResponse({{"object", "list"}, {"data", std::move(data)}});
}

Result<Response> GetModel(const Services& services, Request& request) {
  const auto status = services.serving.GetStatus(request.Param("id"));
  if (!status.ok()) {
    return NotFound("no model is deployed under that name", "model_not_found");
  }
  return JsonResponse(ModelObject(status->deployment, request));
}

}  // namespace atelier::api::openai

// GET /v1/models: what can be asked for an answer, in OpenAI's shape, adapters as vLLM lists them; in Anthropic's shape
// for its clients.
#include <set>
#include <string>
#include <vector>

#include "api/handlers.h"
#include "serving/deployments.h"

namespace atelier::api::openai {
namespace {

// Anthropic's clients always send this field, others never.
bool IsForAnthropic(const Request& request) { return request.Header("anthropic-version").has_value(); }

json::object ModelObject(const std::string& id, int64_t created_ms, const Request& request) {
  if (IsForAnthropic(request)) {
    return {{"type", "model"}, {"id", id}, {"display_name", id}, {"created_at", Rfc3339(created_ms)}};
  }
  return {{"id", id}, {"object", "model"}, {"created", Seconds(created_ms)}, {"owned_by", "atelier"}};
}

// An adapter is called by its own name where that means it, and else with its deployment's before.
std::vector<json::object> AllModels(const Services& services, const Request& request) {
  const auto statuses = services.serving.All();
  std::vector<json::object> models;
  std::set<std::string> taken;
  for (const auto& status : statuses) {
    const registry::Deployment& deployment = status.deployment;
    models.push_back(ModelObject(deployment.name, deployment.created_ms, request));
    taken.insert(deployment.name);
    taken.insert(deployment.model_name);
  }
  for (const auto& status : statuses) {
    const registry::Deployment& deployment = status.deployment;
    for (const auto& adapter : deployment.adapters) {
      const bool own = taken.insert(adapter.name).second;
      auto model = ModelObject(own ? adapter.name : deployment.name + ":" + adapter.name, adapter.created_ms, request);
      if (!IsForAnthropic(request)) {
        model["root"] = adapter.model_name + "@" + std::to_string(adapter.version);
        model["parent"] = deployment.name;
      }
      models.push_back(std::move(model));
    }
  }
  return models;
}

}  // namespace

Result<Response> ListModels(const Services& services, Request& request) {
  json::array data;
  for (auto& model : AllModels(services, request)) {
    data.push_back(std::move(model));
  }
  if (IsForAnthropic(request)) {
    json::object list = ListObject(std::move(data), false);
    list.erase("object");
    return JsonResponse(list);
  }
  return JsonResponse({{"object", "list"}, {"data", std::move(data)}});
}

Result<Response> GetModel(const Services& services, Request& request) {
  for (const auto& model : AllModels(services, request)) {
    if (GetString(model, "id") == request.Param("id")) {
      return JsonResponse(model);
    }
  }
  return NotFound("no model is deployed under that name", "model_not_found");
}

}  // namespace atelier::api::openai

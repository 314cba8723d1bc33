// /v1/evaluations
#include "api/handlers.h"
#include "api/platform/jobs.h"
#include "registry/registry.h"

namespace atelier::api::platform {
namespace {

json::object EvaluationObject(const registry::Evaluation& evaluation) {
  return {{"id", evaluation.id},
          {"object", "evaluation"},
          {"model", evaluation.model_name + "@" + std::to_string(evaluation.model_version)},
          {"dataset", evaluation.dataset_name + "@" + std::to_string(evaluation.dataset_version)},
          {"split", evaluation.split},
          {"metrics", evaluation.metrics},
          {"created_at", Seconds(evaluation.created_ms)},
          {"job_id", evaluation.job_id}};
}

}  // namespace

Result<Response> CreateEvaluation(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  ATELIER_ASSIGN(spec, EvaluateSpec(services, body, false));
  return StartJob(services, "evaluate", std::move(spec));
}

Result<Response> ListEvaluations(const Services& services, Request& request) {
  ATELIER_ASSIGN(query, ParsePage(request));
  const std::string model(request.Query("model").value_or(""));
  bool has_more = false;
  ATELIER_ASSIGN(found,
                 services.registry.ListEvaluations(model, {query.after, query.limit, query.descending}, has_more));
  json::array items;
  for (const auto& evaluation : found) {
    items.push_back(EvaluationObject(evaluation));
  }
  return JsonResponse(ListObject(std::move(items), has_more));
}

Result<Response> GetEvaluation(const Services& services, Request& request) {
  ATELIER_ASSIGN(evaluation, services.registry.GetEvaluation(request.Param("id")));
  return JsonResponse(EvaluationObject(evaluation));
}

}  // namespace atelier::api::platform

// /v2: health and metadata of the Open Inference Protocol.
#include "api/kserve/models.h"

#include <algorithm>

#include "api/handlers.h"

namespace atelier::api::kserve {
namespace {

json::array SpecsOf(const std::vector<serving::TensorSpec>& specs) {
  json::array array;
  for (const auto& spec : specs) {
    array.push_back({{"name", spec.name}, {"datatype", spec.datatype}, {"shape", json::value_from(spec.shape)}});
  }
  return array;
}

bool IsVersionReady(const serving::DeploymentStatus& status, const std::string& version) {
  if (version.empty()) {
    return status.ready;
  }
  return std::any_of(status.workers.begin(), status.workers.end(), [&](const auto& worker) {
    return std::to_string(worker.version) == version && worker.state == serving::WorkerState::kReady;
  });
}

}  // namespace

Result<serving::DeploymentStatus> FindServed(const Services& services, const Request& request) {
  auto status = services.serving.GetStatus(request.Param("model"));
  if (!status.ok()) {
    return NotFound("no model is deployed under that name", "model_not_found");
  }
  const std::string& version = request.Param("version");
  const bool served =
      version.empty() || std::any_of(status->workers.begin(), status->workers.end(),
                                     [&](const auto& worker) { return std::to_string(worker.version) == version; });
  if (!served) {
    return NotFound("that version is not deployed", "model_version_not_found");
  }
  return status;
}

Result<Response> ServerMetadata(const Services& services, Request& /*request*/) {
  return JsonResponse({{"name", "atelier"}, {"version", services.code_version}, {"extensions", {"classification"}}});
}

Result<Response> Live(const Services& /*services*/, Request& /*request*/) { return JsonResponse({{"live", true}}); }

Result<Response> Ready(const Services& services, Request& /*request*/) {
  const auto all = services.serving.All();
  const bool ready = std::all_of(all.begin(), all.end(), [](const auto& status) { return status.ready; });
  auto response = JsonResponse({{"live", true}, {"ready", ready}}, ready ? 200 : 503);
  if (!ready) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

Result<Response> ListModels(const Services& services, Request& /*request*/) {
  json::array names;
  for (const auto& status : services.serving.All()) {
    names.emplace_back(status.deployment.name);
  }
  return JsonResponse({{"models", std::move(names)}});
}

Result<Response> ModelMetadata(const Services& services, Request& request) {
  ATELIER_ASSIGN(status, FindServed(services, request));
  if (status.signature == nullptr) {
    return Unavailable("the model is loading", "model_loading");
  }
  json::array versions;
  for (const auto& worker : status.workers) {
    versions.emplace_back(std::to_string(worker.version));
  }
  return JsonResponse({{"name", status.deployment.name},
                       {"versions", std::move(versions)},
                       {"platform", "atelier_" + status.signature->family},
                       {"inputs", SpecsOf(status.signature->inputs)},
                       {"outputs", SpecsOf(status.signature->outputs)}});
}

Result<Response> ModelReady(const Services& services, Request& request) {
  ATELIER_ASSIGN(status, FindServed(services, request));
  const bool ready = IsVersionReady(status, request.Param("version"));
  auto response = JsonResponse({{"name", status.deployment.name}, {"ready", ready}}, ready ? 200 : 503);
  if (!ready) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

}  // namespace atelier::api::kserve

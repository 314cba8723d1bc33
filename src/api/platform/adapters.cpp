// /v1/deployments/{name}/adapters, and vLLM's two routes for the same.
#include <algorithm>
#include <chrono>
#include <thread>

#include "api/handlers.h"
#include "api/platform/deployments.h"
#include "api/platform/jobs.h"
#include "registry/registry.h"
#include "serving/generative_options.h"
#include "serving/programs.h"

namespace atelier::api::platform {
namespace {

constexpr size_t kMaxNameBytes = 300;
constexpr int kLoadLooks = 500;
constexpr auto kBetweenLooks = std::chrono::milliseconds(20);

json::object AdapterObject(const registry::Deployment& deployment, const registry::DeployedAdapter& adapter,
                           const serving::AdapterStatus& status) {
  return {{"object", "deployment.adapter"},
          {"name", adapter.name},
          {"deployment", deployment.name},
          {"model", adapter.model_name},
          {"version", adapter.version},
          {"status", serving::Name(status.state)},
          {"error", status.error ? json::value(status.error->message) : json::value(nullptr)},
          {"rank", status.rank},
          {"memory_bytes", status.bytes},
          {"created_at", Seconds(adapter.created_ms)}};
}

// The state over all workers; one that is not known yet is loading.
serving::AdapterStatus StateOf(const serving::DeploymentStatus& status, const std::string& name) {
  const auto found = std::ranges::find(status.adapters, name, &serving::AdapterStatus::name);
  return found == status.adapters.end() ? serving::AdapterStatus{.name = name} : *found;
}

Result<json::object> Find(const serving::DeploymentStatus& status, const std::string& name) {
  for (const auto& adapter : status.deployment.adapters) {
    if (adapter.name == name) {
      return AdapterObject(status.deployment, adapter, StateOf(status, name));
    }
  }
  return NotFound("deployment '" + status.deployment.name + "' has no adapter '" + name + "'", "adapter_not_found");
}

Result<registry::ModelVersion> FindVersion(const Services& services, const std::string& reference,
                                           const std::string& param) {
  ATELIER_ASSIGN(version, services.registry.Resolve(reference));
  if (GetString(version.metadata, "family") != serving::kAdapterFamily) {
    return InvalidArgument("the model '" + reference + "' is no adapter", param, "model_not_supported");
  }
  return version;
}

Status CheckBase(const Services& services, const registry::Deployment& deployment,
                 const registry::ModelVersion& adapter) {
  const int64_t deployed = deployment.versions.empty() ? 0 : deployment.versions.front().version;
  ATELIER_ASSIGN(base, services.registry.Resolve(deployment.model_name + "@" + std::to_string(deployed)));
  const std::string wanted = GetString(adapter.metadata, "architecture");
  const std::string has = GetString(base.metadata, "architecture");
  if (wanted != has) {
    return InvalidArgument("the adapter is for models of the architecture '" + wanted + "', '" + deployment.model_name +
                               "' is " + (has.empty() ? "no language model" : "'" + has + "'"),
                           "model", "model_not_supported");
  }
  return {};
}

// Until the workers that serve have read it, or could not; for a while at most.
Result<serving::DeploymentStatus> Settle(const Services& services, const std::string& deployment,
                                         const std::string& adapter) {
  for (int look = 0;; ++look) {
    ATELIER_ASSIGN(status, FindStatus(services, deployment));
    if (!status.ready || look == kLoadLooks || StateOf(status, adapter).state != serving::WorkerState::kStarting) {
      return status;
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

// What a worker cannot use does not stay, unless it was there before.
Result<serving::DeploymentStatus> Load(const Services& services, const Request& request,
                                       const registry::Deployment& deployment, const registry::ModelVersion& version,
                                       const std::string& name) {
  ATELIER_TRY(CheckBase(services, deployment, version));
  const auto most = GetInt(deployment.settings, "max_adapters", serving::kDefaultMaxAdapters);
  ATELIER_TRY(services.registry.AddAdapter(deployment.name, {name, version.model_name, version.version},
                                           static_cast<size_t>(most)));
  FollowCatalogue(services, request);
  const bool was_there =
      std::ranges::find(deployment.adapters, name, &registry::DeployedAdapter::name) != deployment.adapters.end();
  ATELIER_ASSIGN(status, Settle(services, deployment.name, name));
  const auto state = StateOf(status, name);
  if (state.error && !was_there) {
    if (const auto gone = services.registry.DeleteAdapter(deployment.name, name);
        !gone.ok() && gone.error().code != Code::kNotFound) {
      return gone.error();
    }
    FollowCatalogue(services, request);
    return *state.error;
  }
  return status;
}

Status Unload(const Services& services, const Request& request, const std::string& deployment,
              const std::string& name) {
  ATELIER_TRY(services.registry.DeleteAdapter(deployment, name));
  FollowCatalogue(services, request);
  return {};
}

// The one deployment that `fits`, or the one named.
template <class Fits>
Result<registry::Deployment> OnlyDeployment(const Services& services, const std::string& named, const std::string& what,
                                            const Fits& fits) {
  if (!named.empty()) {
    return services.registry.GetDeployment(named);
  }
  ATELIER_ASSIGN(all, services.registry.ListDeployments());
  std::erase_if(all, [&](const registry::Deployment& deployment) { return !fits(deployment); });
  if (all.empty()) {
    return NotFound("no deployment " + what, "deployment_not_found");
  }
  if (all.size() > 1) {
    return InvalidArgument("more than one deployment " + what + ": name it in 'deployment'", "deployment");
  }
  return std::move(all.front());
}

Response Said(const std::string& text) {
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = text;
  return response;
}

}  // namespace

json::array AdapterObjects(const serving::DeploymentStatus& status) {
  json::array items;
  for (const auto& adapter : status.deployment.adapters) {
    items.push_back(AdapterObject(status.deployment, adapter, StateOf(status, adapter.name)));
  }
  return items;
}

Result<Response> CreateAdapter(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(reference, fields.String("model", kMaxNameBytes));
  ATELIER_ASSIGN(wanted_name, fields.StringOr("name", "", kMaxNameBytes));
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_ASSIGN(deployment, services.registry.GetDeployment(request.Param("name")));
  ATELIER_ASSIGN(version, FindVersion(services, reference, "model"));
  const std::string name = wanted_name.empty() ? version.model_name : wanted_name;
  ATELIER_ASSIGN(status, Load(services, request, deployment, version, name));
  ATELIER_ASSIGN(object, Find(status, name));
  return JsonResponse(object);
}

Result<Response> ListAdapters(const Services& services, Request& request) {
  ATELIER_ASSIGN(status, FindStatus(services, request.Param("name")));
  return JsonResponse({{"object", "list"}, {"data", AdapterObjects(status)}, {"has_more", false}});
}

Result<Response> GetAdapter(const Services& services, Request& request) {
  ATELIER_ASSIGN(status, FindStatus(services, request.Param("name")));
  ATELIER_ASSIGN(object, Find(status, request.Param("adapter")));
  return JsonResponse(object);
}

Result<Response> DeleteAdapter(const Services& services, Request& request) {
  const std::string& name = request.Param("adapter");
  ATELIER_ASSIGN(deployment, services.registry.GetDeployment(request.Param("name")));
  ATELIER_TRY(Unload(services, request, deployment.name, name));
  return JsonResponse(
      {{"object", "deployment.adapter"}, {"name", name}, {"deployment", deployment.name}, {"deleted", true}});
}

Result<Response> LoadLoraAdapter(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(name, fields.String("lora_name", kMaxNameBytes));
  ATELIER_ASSIGN(reference, fields.String("lora_path", kMaxNameBytes));
  ATELIER_ASSIGN(named, fields.StringOr("deployment", "", kMaxNameBytes));
  ATELIER_ASSIGN(version, FindVersion(services, reference, "lora_path"));
  const std::string base = GetString(BaseOf(version), "model");
  ATELIER_ASSIGN(deployment, OnlyDeployment(services, named, "serves the adapter's base model '" + base + "'",
                                            [&](const auto& one) { return one.model_name == base; }));
  ATELIER_TRY(Load(services, request, deployment, version, name));
  return Said("Success: LoRA adapter '" + name + "' added successfully.");
}

Result<Response> UnloadLoraAdapter(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(name, fields.String("lora_name", kMaxNameBytes));
  ATELIER_ASSIGN(named, fields.StringOr("deployment", "", kMaxNameBytes));
  ATELIER_ASSIGN(deployment, OnlyDeployment(services, named, "has the adapter '" + name + "'", [&](const auto& one) {
                   return std::ranges::find(one.adapters, name, &registry::DeployedAdapter::name) != one.adapters.end();
                 }));
  ATELIER_TRY(Unload(services, request, deployment.name, name));
  return Said("Success: LoRA adapter '" + name + "' removed successfully.");
}

}  // namespace atelier::api::platform

// /v1/deployments
#include "api/platform/deployments.h"

#include <algorithm>

#include "api/handlers.h"
#include "api/platform/traffic.h"
#include "base/ids.h"
#include "base/log.h"
#include "learning/evaluation/gate.h"
#include "serving/programs.h"

namespace atelier::api::platform {
namespace {

constexpr size_t kMaxVersions = 8;

json::object WorkerObject(const serving::WorkerStatus& worker) {
  return {{"version", worker.version},
          {"weight", worker.weight},
          {"status", serving::Name(worker.state)},
          {"restarts", worker.restarts},
          {"error", worker.error.empty() ? json::value(nullptr) : json::value(worker.error)},
          {"pid", worker.pid},
          {"resident_bytes", worker.resident_bytes},
          {"queued", worker.queued}};
}

std::string_view StatusName(const serving::DeploymentStatus& status) {
  if (status.ready) {
    return "ready";
  }
  const bool failed = std::any_of(status.workers.begin(), status.workers.end(), [](const auto& worker) {
    return worker.weight > 0 && worker.state == serving::WorkerState::kFailed;
  });
  return failed ? "failed" : "loading";
}

json::object DeploymentObject(const serving::DeploymentStatus& status) {
  const auto& deployment = status.deployment;
  json::array versions;
  for (const auto& worker : status.workers) {
    versions.push_back(WorkerObject(worker));
  }
  return {{"id", deployment.id},
          {"object", "deployment"},
          {"name", deployment.name},
          {"model", deployment.model_name},
          {"versions", std::move(versions)},
          {"status", StatusName(status)},
          {"settings", deployment.settings},
          {"gate", deployment.gate.empty() ? json::value(nullptr) : json::value(deployment.gate)},
          {"adapters", AdapterObjects(status)},
          {"created_at", Seconds(deployment.created_ms)},
          {"updated_at", Seconds(deployment.updated_ms)}};
}

enum class Whose { kAll, kPredictors, kLanguageModels };

struct Setting {
  std::string_view name;
  int64_t min;
  int64_t max;
  Whose whose;
};

std::vector<Setting> AllSettings() {
  std::vector<Setting> settings{{"max_batch", 1, 1024, Whose::kPredictors},
                                {"max_delay_us", 0, 1'000'000, Whose::kPredictors},
                                {"record", 0, 100, Whose::kAll},
                                {"record_days", 1, 3650, Whose::kAll},
                                {"record_mb", 1, 1'000'000, Whose::kAll}};
  for (const auto& setting : serving::kGenerativeSettings) {
    const bool shared = setting.name == "max_queue";
    settings.push_back({setting.name, setting.min, setting.max, shared ? Whose::kAll : Whose::kLanguageModels});
  }
  return settings;
}

constexpr std::string_view kWordSettings[] = {"speculation", "draft"};  // of language models

Result<json::object> ParseSettings(Fields& body) {
  json::object settings;
  ATELIER_ASSIGN(given, body.ObjectOr("settings"));
  if (given == nullptr) {
    return settings;
  }
  Fields fields(*given, "settings");
  for (const auto& setting : AllSettings()) {
    if (fields.Has(setting.name)) {
      ATELIER_ASSIGN(value, fields.Int(setting.name, setting.min, setting.max));
      settings[setting.name] = value;
    }
  }
  for (const std::string_view name : kWordSettings) {
    if (fields.Has(name)) {
      ATELIER_ASSIGN(word, fields.String(name, 300));
      settings[name] = word;
    }
  }
  ATELIER_TRY(fields.RejectUnknown());
  return settings;
}

// The gate asked for: absent where none is named, empty where it is to go (null).
Result<std::optional<json::object>> ParseGate(const json::object& body, Fields& fields) {
  ATELIER_ASSIGN(object, fields.ObjectOr("gate"));
  if (object == nullptr) {
    return body.contains("gate") ? std::optional(json::object()) : std::nullopt;
  }
  ATELIER_ASSIGN(gate, learning::GateFromJson(*object, "gate"));
  return std::optional(learning::ToJson(gate));
}

// Checks those of language models that are words; the draft model's name becomes that of one version.
Status ResolveWords(const Services& services, json::object& settings) {
  if (settings.contains("speculation")) {
    const std::string word = GetString(settings, "speculation");
    if (std::ranges::find(serving::kSpeculations, word) == std::end(serving::kSpeculations)) {
      return InvalidArgument("'settings.speculation' must be auto, off or lookup", "settings.speculation");
    }
  }
  if (settings.contains("draft")) {
    ATELIER_ASSIGN(version, services.registry.Resolve(GetString(settings, "draft")));
    if (GetString(version.metadata, "family") != serving::kGenerativeFamily) {
      return InvalidArgument("'settings.draft' must name a language model", "settings.draft", "model_not_supported");
    }
    settings["draft"] = version.model_name + "@" + std::to_string(version.version);
  }
  return {};
}

// Whether models of the family have these settings.
Status FitSettings(const json::object& settings, const std::string& family) {
  const bool generates = family == serving::kGenerativeFamily;
  for (const auto& setting : AllSettings()) {
    if (settings.contains(setting.name) && setting.whose == (generates ? Whose::kPredictors : Whose::kLanguageModels)) {
      const std::string name = "settings." + std::string(setting.name);
      return InvalidArgument("'" + name + "' is not for " + (generates ? "language models" : "models that predict"),
                             name);
    }
  }
  for (const std::string_view word : kWordSettings) {
    if (settings.contains(word) && !generates) {
      const std::string name = "settings." + std::string(word);
      return InvalidArgument("'" + name + "' is not for models that predict", name);
    }
  }
  return {};
}

Result<std::vector<registry::DeployedVersion>> ParseVersions(const json::array& array) {
  std::vector<registry::DeployedVersion> versions;
  int64_t sum = 0;
  for (size_t i = 0; i < array.size(); ++i) {
    const std::string param = "versions[" + std::to_string(i) + "]";
    if (!array[i].is_object()) {
      return InvalidArgument("'" + param + "' must be an object", param);
    }
    Fields fields(array[i].get_object(), param);
    ATELIER_ASSIGN(version, fields.Int("version", 1, std::numeric_limits<int64_t>::max()));
    ATELIER_ASSIGN(weight, fields.Int("weight", 0, 100));
    ATELIER_TRY(fields.RejectUnknown());
    const bool repeated =
        std::any_of(versions.begin(), versions.end(), [&](const auto& other) { return other.version == version; });
    if (repeated) {
      return InvalidArgument("version " + std::to_string(version) + " is given twice", param);
    }
    sum += weight;
    versions.push_back({version, static_cast<int>(weight)});
  }
  if (sum != 100) {
    return InvalidArgument("the weights of 'versions' must add up to 100", "versions");
  }
  return versions;
}

struct Wanted {
  std::string model;
  std::vector<registry::DeployedVersion> versions;
  std::string family;  // of the first version
};

// An adapter alone answers nothing.
Status RefuseAdapter(const registry::ModelVersion& version) {
  if (GetString(version.metadata, "family") == serving::kAdapterFamily) {
    return InvalidArgument("'" + version.model_name +
                               "' is an adapter, which cannot be deployed alone: load it into a "
                               "deployment of its base model (POST /v1/deployments/{name}/adapters)",
                           "model", "model_not_supported");
  }
  return {};
}

// The versions asked for, all of which exist.
Result<Wanted> FindVersions(const Services& services, Fields& fields) {
  ATELIER_ASSIGN(reference, fields.String("model", 300));
  if (reference.empty()) {
    return InvalidArgument("'model' is empty", "model");
  }
  ATELIER_ASSIGN(array, fields.ArrayOr("versions", kMaxVersions));
  if (array == nullptr) {
    ATELIER_ASSIGN(version, services.registry.Resolve(reference));
    ATELIER_TRY(RefuseAdapter(version));
    return Wanted{version.model_name, {{version.version, 100}}, GetString(version.metadata, "family")};
  }
  ATELIER_ASSIGN(versions, ParseVersions(*array));
  ATELIER_ASSIGN(model, services.registry.GetModel(reference));
  Wanted wanted{model.name, {}, ""};
  for (const auto& version : versions) {
    ATELIER_ASSIGN(found, services.registry.Resolve(model.name + "@" + std::to_string(version.version)));
    ATELIER_TRY(RefuseAdapter(found));
    if (wanted.family.empty()) {
      wanted.family = GetString(found.metadata, "family");
    }
  }
  wanted.versions = std::move(versions);
  return wanted;
}

Result<Response> Describe(const Services& services, const std::string& name) {
  ATELIER_ASSIGN(status, FindStatus(services, name));
  return JsonResponse(DeploymentObject(status));
}

}  // namespace

void FollowCatalogue(const Services& services, const Request& request) {
  const auto status = services.serving.Reconcile();
  if (!status.ok()) {
    LogError("deployments do not follow the catalogue yet",
             {{"request_id", request.id}, {"error", status.error().message}});
  }
  FollowRecording(services);
}

Result<serving::DeploymentStatus> FindStatus(const Services& services, const std::string& name) {
  ATELIER_ASSIGN(deployment, services.registry.GetDeployment(name));
  auto status = services.serving.GetStatus(deployment.name);
  if (status.ok() && status->deployment.updated_ms != deployment.updated_ms) {  // a job has just changed it
    ATELIER_TRY(services.serving.Reconcile());
    status = services.serving.GetStatus(deployment.name);
  }
  if (status.ok()) {
    return status;
  }
  serving::DeploymentStatus unknown;
  for (const auto& version : deployment.versions) {
    serving::WorkerStatus worker;
    worker.version = version.version;
    worker.weight = version.weight;
    unknown.workers.push_back(std::move(worker));
  }
  unknown.deployment = std::move(deployment);
  return unknown;
}

Result<Response> CreateDeployment(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(wanted_name, fields.StringOr("name", "", 128));
  ATELIER_ASSIGN(settings, ParseSettings(fields));
  ATELIER_TRY(CheckRecording(request, settings));
  ATELIER_ASSIGN(gate, ParseGate(body, fields));
  ATELIER_ASSIGN(found, FindVersions(services, fields));
  ATELIER_TRY(FitSettings(settings, found.family));
  ATELIER_TRY(ResolveWords(services, settings));
  ATELIER_TRY(fields.RejectUnknown());
  const std::string name = wanted_name.empty() ? found.model : wanted_name;
  ATELIER_TRY(ValidateName(name, "name"));
  ATELIER_TRY(KeepRecording(services, request, name, settings));
  ATELIER_TRY(services.registry.PutDeployment(
      name, {found.model, std::move(found.versions), std::move(settings), std::move(gate)}));
  FollowCatalogue(services, request);
  return Describe(services, name);
}

Result<Response> ListDeployments(const Services& services, Request& /*request*/) {
  json::array items;
  for (const auto& status : services.serving.All()) {
    items.push_back(DeploymentObject(status));
  }
  return JsonResponse(ListObject(std::move(items), false));
}

Result<Response> GetDeployment(const Services& services, Request& request) {
  return Describe(services, request.Param("name"));
}

Result<Response> DeleteDeployment(const Services& services, Request& request) {
  ATELIER_ASSIGN(deployment, services.registry.GetDeployment(request.Param("name")));
  ATELIER_TRY(services.registry.DeleteDeployment(deployment.name));
  FollowCatalogue(services, request);
  return JsonResponse({{"id", deployment.id}, {"object", "deployment"}, {"name", deployment.name}, {"deleted", true}});
}

Result<Response> RollbackDeployment(const Services& services, Request& request) {
  ATELIER_ASSIGN(deployment, services.registry.Rollback(request.Param("name")));
  FollowCatalogue(services, request);
  return Describe(services, deployment.name);
}

}  // namespace atelier::api::platform

// /v1/registry/models
#include "registry/registry.h"

#include <algorithm>

#include "api/handlers.h"
#include "api/platform/files.h"
#include "api/platform/jobs.h"
#include "base/ids.h"
#include "storage/blob_json.h"

namespace atelier::api::platform {
namespace {

json::value ValueOrNull(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr ? json::value(nullptr) : *value;
}

json::object VersionSummary(const registry::ModelVersion& version) {
  auto weights = version.files.find("model.safetensors");
  if (weights == version.files.end()) {
    weights = std::ranges::find_if(version.files, [](const auto& file) { return file.first.ends_with(".gguf"); });
  }
  return {
      {"version", version.version},
      {"created_at", Seconds(version.created_ms)},
      {"family", ValueOrNull(version.metadata, "family")},
      {"task", ValueOrNull(version.metadata, "task")},
      {"metrics", ValueOrNull(version.metadata, "metrics")},
      {"weights_sha256", weights == version.files.end() ? json::value(nullptr) : json::value(weights->second.sha256)}};
}

Result<json::object> ModelObject(const Services& services, const registry::Model& model) {
  ATELIER_ASSIGN(aliases, services.registry.Aliases(model.name));
  ATELIER_ASSIGN(versions, services.registry.Versions(model.name));
  json::object alias_object;
  for (const auto& [alias, version] : aliases) {
    alias_object[alias] = version;
  }
  json::array items;
  for (const auto& version : versions) {
    items.push_back(VersionSummary(version));
  }
  return json::object{{"id", model.id},
                      {"object", "model.entry"},
                      {"name", model.name},
                      {"created_at", Seconds(model.created_ms)},
                      {"latest_version", model.latest_version},
                      {"aliases", std::move(alias_object)},
                      {"versions", std::move(items)}};
}

Result<registry::ModelVersion> FindVersion(const Services& services, const Request& request) {
  const std::string& version = request.Param("version");
  const std::string& name = request.Param("name");
  return services.registry.Resolve(version == "latest" ? name : name + "@" + version);
}

}  // namespace

Result<Response> ListRegisteredModels(const Services& services, Request& request) {
  ATELIER_ASSIGN(query, ParsePage(request));
  bool has_more = false;
  ATELIER_ASSIGN(models, services.registry.ListModels({query.after, query.limit, query.descending}, has_more));
  json::array items;
  for (const auto& model : models) {
    ATELIER_ASSIGN(object, ModelObject(services, model));
    items.push_back(std::move(object));
  }
  return JsonResponse(ListObject(std::move(items), has_more));
}

Result<Response> GetRegisteredModel(const Services& services, Request& request) {
  ATELIER_ASSIGN(model, services.registry.GetModel(request.Param("name")));
  ATELIER_ASSIGN(object, ModelObject(services, model));
  return JsonResponse(object);
}

Result<Response> GetModelVersion(const Services& services, Request& request) {
  ATELIER_ASSIGN(version, FindVersion(services, request));
  auto object = VersionSummary(version);
  json::object files;
  for (const auto& [name, blob] : version.files) {
    files[name] = storage::ToJson(blob);
  }
  object["object"] = "model.version";
  object["id"] = version.model_name + "@" + std::to_string(version.version);
  object["model"] = version.model_name;
  object["job_id"] = version.job_id;
  object["files"] = std::move(files);
  object["metadata"] = version.metadata;
  return JsonResponse(object);
}

Result<Response> GetModelCard(const Services& services, Request& request) {
  ATELIER_ASSIGN(version, FindVersion(services, request));
  bool has_more = false;
  registry::Page page;
  page.limit = 100;
  ATELIER_ASSIGN(evaluations, services.registry.ListEvaluations(version.model_name, page, has_more));
  std::erase_if(evaluations, [&](const auto& evaluation) { return evaluation.model_version != version.version; });
  Response response;
  response.content_type = "text/markdown; charset=utf-8";
  response.body = registry::ModelCard(version, evaluations);
  return response;
}

Result<Response> GetModelFile(const Services& services, Request& request) {
  ATELIER_ASSIGN(version, FindVersion(services, request));
  const auto file = version.files.find(request.Param("file"));
  if (file == version.files.end()) {
    return NotFound("the model version has no such file", "file_not_found");
  }
  return BlobResponse(services, request, file->second, file->first);
}

Result<Response> DeleteRegisteredModel(const Services& services, Request& request) {
  ATELIER_ASSIGN(model, services.registry.GetModel(request.Param("name")));
  ATELIER_TRY(services.registry.DeleteModel(model.name));
  return JsonResponse({{"id", model.id}, {"object", "model.entry"}, {"name", model.name}, {"deleted", true}});
}

Result<Response> SetAlias(const Services& services, Request& request) {
  const std::string& alias = request.Param("alias");
  ATELIER_TRY(ValidateName(alias, "alias"));
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(version, fields.Int("version", 1, std::numeric_limits<int64_t>::max()));
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_TRY(services.registry.SetAlias(request.Param("name"), alias, version));
  return GetRegisteredModel(services, request);
}

Result<Response> DeleteAlias(const Services& services, Request& request) {
  ATELIER_TRY(services.registry.DeleteAlias(request.Param("name"), request.Param("alias")));
  return GetRegisteredModel(services, request);
}

}  // namespace atelier::api::platform

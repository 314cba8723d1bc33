// /v1/datasets
#include <charconv>

#include "api/handlers.h"
#include "api/platform/jobs.h"
#include "data/store.h"

namespace atelier::api::platform {
namespace {

json::object DatasetObject(const data::Dataset& dataset) {
  return {{"id", dataset.id},
          {"object", "dataset"},
          {"name", dataset.name},
          {"created_at", Seconds(dataset.created_ms)},
          {"latest_version", dataset.latest_version}};
}

json::object VersionObject(const data::DatasetVersion& version) {
  return {{"version", version.version},
          {"rows", version.rows},
          {"created_at", Seconds(version.created_ms)},
          {"job_id", version.job_id},
          {"parent_version",
           version.parent_version.has_value() ? json::value(*version.parent_version) : json::value(nullptr)}};
}

// "latest" or a number; 0 is the latest.
Result<int64_t> ParseVersion(const std::string& text) {
  if (text == "latest") {
    return int64_t{0};
  }
  int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1) {
    return NotFound("a version is a number from 1, or latest", "dataset_version_not_found");
  }
  return version;
}

}  // namespace

Result<Response> CreateDataset(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  ATELIER_ASSIGN(spec, ImportSpec(services, body));
  return StartJob(services, "import", std::move(spec));
}

Result<Response> ListDatasets(const Services& services, Request& request) {
  ATELIER_ASSIGN(query, ParsePage(request));
  bool has_more = false;
  ATELIER_ASSIGN(datasets, services.datasets.List({query.after, query.limit, query.descending}, has_more));
  json::array items;
  for (const auto& dataset : datasets) {
    items.push_back(DatasetObject(dataset));
  }
  return JsonResponse(ListObject(std::move(items), has_more));
}

Result<Response> GetDataset(const Services& services, Request& request) {
  const std::string& name = request.Param("name");
  ATELIER_ASSIGN(dataset, services.datasets.Get(name));
  ATELIER_ASSIGN(versions, services.datasets.Versions(name));
  json::array items;
  for (const auto& version : versions) {
    items.push_back(VersionObject(version));
  }
  auto object = DatasetObject(dataset);
  object["versions"] = std::move(items);
  return JsonResponse(object);
}

Result<Response> GetDatasetVersion(const Services& services, Request& request) {
  ATELIER_ASSIGN(number, ParseVersion(request.Param("version")));
  ATELIER_ASSIGN(version, services.datasets.GetVersion(request.Param("name"), number));
  ATELIER_ASSIGN(manifest, ReadManifest(services, version));
  auto object = VersionObject(version);
  object["object"] = "dataset.version";
  object["id"] = version.dataset_name + "@" + std::to_string(version.version);
  object["dataset"] = version.dataset_name;
  object["manifest_sha256"] = version.manifest.sha256;
  object["manifest"] = std::move(manifest);
  return JsonResponse(object);
}

Result<Response> DeleteDataset(const Services& services, Request& request) {
  ATELIER_ASSIGN(dataset, services.datasets.Get(request.Param("name")));
  ATELIER_TRY(services.datasets.Delete(dataset.name));
  return JsonResponse({{"id", dataset.id}, {"object", "dataset"}, {"name", dataset.name}, {"deleted", true}});
}

}  // namespace atelier::api::platform

#include <set>

#include "api/platform/jobs.h"
#include "base/ids.h"
#include "data/files.h"
#include "data/importer.h"
#include "engine/quantising/recipes.h"
#include "hub/pull.h"
#include "learning/spec/train_settings.h"
#include "registry/registry.h"
#include "serving/programs.h"
#include "storage/blob_json.h"

namespace atelier::api::platform {
namespace {

constexpr size_t kMaxSources = 10'000;
constexpr size_t kMaxSourceBytes = 4096;

Status CheckSourcePath(const std::string& path, const std::string& param) {
  const auto bad = [&] { return InvalidArgument("'" + param + "' must be a relative path without '..'", param); };
  if (path.empty() || path.size() > 1024 || path.front() == '/' || !IsUtf8(path)) {
    return bad();
  }
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\') {
      return bad();
    }
  }
  for (size_t start = 0; start <= path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    const auto segment = std::string_view(path).substr(start, end - start);
    if (segment.empty() || segment == "." || segment == "..") {
      return bad();
    }
    start = end + 1;
  }
  return {};
}

// The list of files that a request must have.
Result<const json::array*> GivenFiles(Fields& fields) {
  ATELIER_ASSIGN(files, fields.ArrayOr("files", kMaxSources));
  if (files == nullptr || files->empty()) {
    return InvalidArgument("'files' is missing: a list of at least one file", "files", "missing_required_parameter");
  }
  return files;
}

Result<json::array> SourceFiles(const Services& services, const json::array& files) {
  json::array sources;
  std::set<std::string> paths;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string param = "files[" + std::to_string(i) + "]";
    if (!files[i].is_object()) {
      return InvalidArgument("'" + param + "' must be an object", param);
    }
    Fields fields(files[i].get_object(), param);
    ATELIER_ASSIGN(file_id, fields.String("file_id", 128));
    ATELIER_ASSIGN(file, services.files.Get(file_id));
    ATELIER_ASSIGN(path, fields.StringOr("path", file.filename, 1024));
    ATELIER_TRY(fields.RejectUnknown());
    ATELIER_TRY(CheckSourcePath(path, param + ".path"));
    if (!paths.insert(path).second) {
      return InvalidArgument("two files have the path '" + path + "'", param + ".path");
    }
    json::object source = storage::ToJson(file.blob);
    source["path"] = path;
    sources.push_back(std::move(source));
  }
  return sources;
}

json::object FilesObject(const registry::ModelVersion& model) {
  json::object files;
  for (const auto& [name, blob] : model.files) {
    files[name] = storage::ToJson(blob);
  }
  return files;
}

// {"name","version","manifest"} of a data set version.
json::object DatasetPart(const data::DatasetVersion& version) {
  return {
      {"name", version.dataset_name}, {"version", version.version}, {"manifest", storage::ToJson(version.manifest)}};
}

Result<data::DatasetVersion> FindDataset(const Services& services, const std::string& text) {
  ATELIER_ASSIGN(reference, data::ParseReference(text, "dataset"));
  return services.datasets.GetVersion(reference.name, reference.version);
}

// The language model that an adapter is for.
Result<json::object> BasePart(const Services& services, const std::string& reference) {
  ATELIER_ASSIGN(model, services.registry.Resolve(reference));
  if (GetString(model.metadata, "family") != serving::kGenerativeFamily) {
    return InvalidArgument("'" + reference + "' is no language model, so nothing can be an adapter of it", "base",
                           "model_not_supported");
  }
  return ModelPart(model);
}

}  // namespace

json::object ModelPart(const registry::ModelVersion& model) {
  return {{"name", model.model_name}, {"version", model.version}, {"files", FilesObject(model)}};
}

const json::object& BaseOf(const registry::ModelVersion& adapter) { return GetObject(adapter.metadata, "base"); }

json::object NewSpec(const Services& services, const json::object& request) {
  return {{"request", request}, {"blobs", std::filesystem::absolute(services.blob_dir).string()}};
}

Result<data::Manifest> LoadManifest(const Services& services, const data::DatasetVersion& version) {
  ATELIER_ASSIGN(value, ReadManifest(services, version));
  return data::ManifestFromJson(value);
}

Result<json::value> ReadManifest(const Services& services, const data::DatasetVersion& version) {
  ATELIER_ASSIGN(text, storage::ReadAll(services.blobs, version.manifest.sha256, data::kMaxManifestBytes));
  JsonLimits limits;
  limits.max_bytes = data::kMaxManifestBytes;
  auto value = ParseJson(text, limits);
  return value.ok() ? std::move(value) : DataLoss("the manifest of a data set is not JSON");
}

Result<json::object> ImportSpec(const Services& services, const json::object& request) {
  Fields fields(request);
  ATELIER_ASSIGN(name, fields.String("name", 128));
  ATELIER_TRY(ValidateName(name, "name"));
  ATELIER_ASSIGN(files, GivenFiles(fields));
  json::object options = request;
  options.erase("name");
  options.erase("files");
  ATELIER_TRY(data::ImportOptionsFromJson(options));
  ATELIER_ASSIGN(sources, SourceFiles(services, *files));
  json::object spec = NewSpec(services, request);
  spec["name"] = name;
  spec["files"] = std::move(sources);
  spec["options"] = std::move(options);
  return spec;
}

Result<json::object> ImportModelSpec(const Services& services, const json::object& request) {
  Fields fields(request);
  ATELIER_TRY(fields.String("kind"));
  ATELIER_ASSIGN(model, fields.String("model", 128));
  ATELIER_TRY(ValidateName(model, "model"));
  ATELIER_ASSIGN(files, GivenFiles(fields));
  ATELIER_ASSIGN(base, fields.StringOr("base", "", 300));
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_ASSIGN(sources, SourceFiles(services, *files));
  json::object spec = NewSpec(services, request);
  if (!base.empty()) {
    ATELIER_ASSIGN(part, BasePart(services, base));
    spec["base"] = std::move(part);
  }
  spec["model"] = model;
  spec["files"] = std::move(sources);
  spec["code_version"] = services.code_version;
  return spec;
}

Result<json::object> TrainTaggerSpec(const Services& services, const json::object& request) {
  Fields fields(request);
  ATELIER_TRY(fields.String("kind"));
  ATELIER_ASSIGN(model, fields.String("model", 128));
  ATELIER_TRY(ValidateName(model, "model"));
  ATELIER_ASSIGN(files, GivenFiles(fields));
  ATELIER_ASSIGN(column, fields.IntOr("column", 2, 2, 100));
  ATELIER_ASSIGN(passes, fields.IntOr("passes", 5, 1, 50));
  ATELIER_ASSIGN(holdout, fields.NumberOr("holdout", 0.1, 0, 0.5));
  ATELIER_ASSIGN(seed, fields.IntOr("seed", 1, 0, std::numeric_limits<int64_t>::max()));
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_ASSIGN(sources, SourceFiles(services, *files));
  json::object spec = NewSpec(services, request);
  spec["model"] = model;
  spec["files"] = std::move(sources);
  spec["settings"] = {{"column", column}, {"passes", passes}, {"holdout", holdout}, {"seed", seed}};
  spec["code_version"] = services.code_version;
  return spec;
}

Result<json::object> QuantizeModelSpec(const Services& services, const json::object& request) {
  Fields fields(request);
  ATELIER_TRY(fields.String("kind"));
  ATELIER_ASSIGN(reference, fields.String("source", 300));
  ATELIER_ASSIGN(format, fields.String("format", 32));
  ATELIER_ASSIGN(name, fields.StringOr("model", "", 128));
  ATELIER_TRY(fields.RejectUnknown());
  const auto* recipe = engine::FindRecipe(format);
  if (recipe == nullptr) {
    return InvalidArgument("'format' must be one of " + engine::RecipeNames(), "format");
  }
  if (!name.empty()) {
    ATELIER_TRY(ValidateName(name, "model"));
  }
  ATELIER_ASSIGN(source, services.registry.Resolve(reference));
  if (GetString(source.metadata, "family") != serving::kGenerativeFamily) {
    return InvalidArgument("'" + reference + "' is no language model: only these are quantised", "source",
                           "model_not_supported");
  }
  json::object spec = NewSpec(services, request);
  spec["model"] = name.empty() ? source.model_name : name;
  spec["source"] = {{"name", source.model_name}, {"version", source.version}};
  spec["files"] = FilesObject(source);
  spec["format"] = recipe->name;
  spec["code_version"] = services.code_version;
  return spec;
}

Result<json::object> PullSpec(const Services& services, const hub::Reference& reference, const PullWish& wish,
                              const json::object& request) {
  if (!services.pull.has_value()) {
    return MakeError(Code::kPermissionDenied, "this server does not pull models (see the setting hub.pull)",
                     "pull_forbidden");
  }
  ATELIER_TRY(hub::CheckSource(reference, *services.pull));
  ATELIER_TRY(ValidateName(wish.model, "model"));
  json::object spec = NewSpec(services, request);
  if (wish.deploy) {
    spec["deploy"] = wish.model;
  }
  spec["source"] = hub::ToText(reference);
  spec["model"] = wish.model;
  spec["hub"] = hub::ToJson(*services.pull);
  spec["code_version"] = services.code_version;
  return spec;
}

Result<json::object> PullModelSpec(const Services& services, const json::object& request) {
  Fields fields(request);
  ATELIER_TRY(fields.String("kind"));
  ATELIER_ASSIGN(source, fields.String("source", kMaxSourceBytes));
  ATELIER_ASSIGN(reference, hub::ParseReference(source));
  ATELIER_ASSIGN(model, fields.StringOr("model", hub::ModelNameOf(reference), 128));
  ATELIER_ASSIGN(deploy, fields.BoolOr("deploy", false));
  ATELIER_TRY(fields.RejectUnknown());
  return PullSpec(services, reference, {std::move(model), deploy}, request);
}

Result<json::object> TrainSpec(const Services& services, const json::object& request) {
  Fields fields(request);
  ATELIER_ASSIGN(kind, fields.String("kind"));
  ATELIER_ASSIGN(family, fields.String("family", 64));
  ATELIER_ASSIGN(dataset, fields.String("dataset", 256));
  ATELIER_ASSIGN(model, fields.String("model", 128));
  ATELIER_TRY(ValidateName(model, "model"));
  ATELIER_ASSIGN(user, fields.ObjectOr("settings"));
  ATELIER_ASSIGN(base_reference, fields.StringOr("base", "", 300));
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_ASSIGN(version, FindDataset(services, dataset));
  ATELIER_ASSIGN(manifest, LoadManifest(services, version));
  json::object spec = NewSpec(services, request);
  json::object base;
  if (!base_reference.empty()) {
    ATELIER_ASSIGN(found, services.registry.Resolve(base_reference));
    base = found.metadata;
    json::object part = ModelPart(found);
    part["metadata"] = base;
    spec["base"] = std::move(part);
  }
  ATELIER_ASSIGN(settings, learning::MakeTrainSettings(family, user == nullptr ? json::object() : *user, manifest,
                                                       base_reference.empty() ? nullptr : &base));
  spec["family"] = family;
  spec["model"] = model;
  spec["dataset"] = DatasetPart(version);
  spec["settings"] = std::move(settings);
  spec["code_version"] = services.code_version;
  return spec;
}

Result<json::object> EvaluateSpec(const Services& services, const json::object& request, bool with_kind) {
  Fields fields(request);
  if (with_kind) {
    ATELIER_TRY(fields.String("kind"));
  }
  ATELIER_ASSIGN(reference, fields.String("model", 300));
  ATELIER_ASSIGN(dataset, fields.String("dataset", 256));
  ATELIER_ASSIGN(split, fields.StringOr("split", "test", 16));
  if (reference.empty()) {
    return InvalidArgument("'model' is empty", "model");
  }
  ATELIER_TRY(fields.RejectUnknown());
  const auto which = data::SplitFromName(split);
  if (!which.ok()) {
    return InvalidArgument("'split' must be train, validation or test", "split");
  }
  ATELIER_ASSIGN(model, services.registry.Resolve(reference));
  ATELIER_ASSIGN(version, FindDataset(services, dataset));
  ATELIER_ASSIGN(manifest, LoadManifest(services, version));
  if (manifest.split_rows[static_cast<size_t>(*which)] == 0) {
    return InvalidArgument("the data set has no rows in its split '" + split + "'", "split");
  }
  json::object spec = NewSpec(services, request);
  spec["model"] = ModelPart(model);
  if (GetString(model.metadata, "family") == serving::kAdapterFamily) {
    const json::object& name = BaseOf(model);
    ATELIER_ASSIGN(base, BasePart(services, GetString(name, "model") + "@" + std::to_string(GetInt(name, "version"))));
    spec["base"] = std::move(base);
  }
  spec["dataset"] = DatasetPart(version);
  spec["split"] = split;
  return spec;
}

}  // namespace atelier::api::platform

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "api/openai/fine_tuning.h"
#include "api/openai/metadata.h"
#include "api/platform/jobs.h"
#include "base/ids.h"
#include "data/files.h"
#include "learning/spec/train_settings.h"
#include "registry/registry.h"
#include "serving/generative_options.h"
#include "storage/blob_json.h"

namespace atelier::api::openai {
namespace {

constexpr size_t kMaxNameBytes = 300;
constexpr size_t kMaxSuffixBytes = 64;
constexpr size_t kMaxBaseBytes = 40;  // of the base's name in the result's
constexpr size_t kIdBytes = 8;
constexpr int64_t kMaxEpochs = 50;
constexpr int64_t kMaxBatch = 256;
constexpr double kMinNumber = 1e-4;
constexpr double kMaxMultiplier = 1000;
constexpr double kMaxBeta = 2;

struct Base {
  registry::ModelVersion model;
  std::optional<registry::Deployment> deployment{};  // that serves it
};

Result<std::optional<registry::Deployment>> DeploymentOf(const Services& services,
                                                         const registry::ModelVersion& model) {
  ATELIER_ASSIGN(all, services.registry.ListDeployments());
  for (registry::Deployment& one : all) {
    const bool serves =
        std::ranges::find(one.versions, model.version, &registry::DeployedVersion::version) != one.versions.end();
    if (one.model_name == model.model_name && serves) {
      return std::optional(std::move(one));
    }
  }
  return std::optional<registry::Deployment>();
}

// A deployment's version with the most traffic, or the model version.
Result<Base> FindBase(const Services& services, const std::string& reference) {
  auto deployment = services.registry.GetDeployment(reference);
  if (deployment.ok()) {
    const auto most =
        std::ranges::max_element(deployment->versions, {}, [](const auto& version) { return version.weight; });
    if (most == deployment->versions.end()) {
      return NotFound("the deployment '" + reference + "' has no version", "model_not_found");
    }
    ATELIER_ASSIGN(model, services.registry.Resolve(deployment->model_name + "@" + std::to_string(most->version)));
    return Base{std::move(model), std::move(deployment).value()};
  }
  auto model = services.registry.Resolve(reference);
  if (!model.ok()) {
    Error error = model.error();
    error.param = "model";
    return error;
  }
  ATELIER_ASSIGN(serving, DeploymentOf(services, *model));
  return Base{std::move(model).value(), std::move(serving)};
}

// Whether a hyperparameter is left to us.
Result<bool> IsAuto(Fields& fields, const json::object& given, std::string_view key) {
  if (!fields.Has(key)) {
    return true;
  }
  const json::value& value = given.at(key);
  if (value.is_string() && value.get_string() != "auto") {
    return InvalidArgument("'" + fields.Path(key) + "' must be a number or \"auto\"", fields.Path(key));
  }
  return value.is_string();
}

// Each a number or "auto".
Result<json::object> ReadHyperparameters(const json::object& given, const std::string& path, bool with_beta) {
  Fields fields(given, path);
  json::object out;
  for (const auto& [key, most] : {std::pair("n_epochs", kMaxEpochs), std::pair("batch_size", kMaxBatch)}) {
    ATELIER_ASSIGN(automatic, IsAuto(fields, given, key));
    out[key] = "auto";
    if (!automatic) {
      ATELIER_ASSIGN(number, fields.Int(key, 1, most));
      out[key] = number;
    }
  }
  for (const auto& [key, most] : {std::pair("learning_rate_multiplier", kMaxMultiplier), std::pair("beta", kMaxBeta)}) {
    if (key == std::string_view("beta") && !with_beta) {
      continue;
    }
    ATELIER_ASSIGN(automatic, IsAuto(fields, given, key));
    out[key] = "auto";
    if (!automatic) {
      ATELIER_ASSIGN(number, fields.Number(key, kMinNumber, most));
      out[key] = number;
    }
  }
  ATELIER_TRY(fields.RejectUnknown());
  return out;
}

struct MethodChoice {
  std::string type = "supervised";
  json::object hyperparameters{};
};

// `method`, or the older `hyperparameters`.
Result<MethodChoice> ReadMethod(Fields& fields) {
  MethodChoice out;
  ATELIER_ASSIGN(method, fields.ObjectOr("method"));
  ATELIER_ASSIGN(older, fields.ObjectOr("hyperparameters"));
  const json::object* given = older;
  std::string path = "hyperparameters";
  if (method != nullptr) {
    Fields inner(*method, "method");
    ATELIER_ASSIGN(type, inner.String("type", 64));
    if (type != "supervised" && type != "dpo") {
      return InvalidArgument("'method.type' must be supervised or dpo", "method.type");
    }
    out.type = type;
    ATELIER_ASSIGN(options, inner.ObjectOr(type));
    ATELIER_TRY(inner.RejectUnknown());
    if (options != nullptr) {
      Fields more(*options, "method." + type);
      ATELIER_ASSIGN(named, more.ObjectOr("hyperparameters"));
      ATELIER_TRY(more.RejectUnknown());
      path = named == nullptr ? path : more.Path("hyperparameters");
      given = named == nullptr ? given : named;
    }
  }
  const json::object none;
  ATELIER_ASSIGN(read, ReadHyperparameters(given == nullptr ? none : *given, path, out.type == "dpo"));
  out.hyperparameters = std::move(read);
  return out;
}

Result<data::File> FindTuningFile(const Services& services, const std::string& id, const std::string& param) {
  auto file = services.files.Get(id);
  if (!file.ok()) {
    Error error = file.error();
    error.param = param;
    return error;
  }
  if (file->purpose != "fine-tune") {
    return InvalidArgument("the file '" + id + "' was uploaded for '" + file->purpose + "', not for 'fine-tune'", param,
                           "invalid_file_purpose");
  }
  return std::move(file).value();
}

int64_t MaxAdapters(const registry::Deployment& deployment) {
  return GetInt(deployment.settings, "max_adapters", serving::kDefaultMaxAdapters);
}

// What of the gpt family's settings the method makes: lora, qlora or full; beside a deployed base an adapter.
Result<std::string> ChooseAdapter(const Base& base, const json::object& settings) {
  Fields fields(settings, "settings");
  ATELIER_ASSIGN(wanted, fields.StringOr("method", base.deployment ? "lora" : "full", 64));
  if (wanted == "full") {
    return wanted;
  }
  const std::string name = base.model.model_name + "@" + std::to_string(base.model.version);
  if (!base.deployment) {
    return InvalidArgument("'" + name +
                               "' is not deployed, so an adapter could not be served beside it: deploy it, or "
                               "give 'settings': {\"method\": \"full\"}",
                           "settings.method", "model_not_deployed");
  }
  const int64_t most = MaxAdapters(*base.deployment);
  if (std::ssize(base.deployment->adapters) >= most) {
    return FailedPrecondition("the deployment '" + base.deployment->name + "' has " + std::to_string(most) +
                                  " adapters already, as many as its setting max_adapters allows: unload one",
                              "too_many_adapters");
  }
  return wanted;
}

// Whether base and settings do, on any data of the method's shape.
Status CheckSettings(const Base& base, const json::object& settings, bool preferences) {
  data::Manifest manifest;
  const std::vector<std::string> names =
      preferences ? std::vector<std::string>{"prompt", "chosen", "rejected"} : std::vector<std::string>{"text"};
  for (const std::string& name : names) {
    manifest.columns.push_back({.name = name, .type = data::ColumnType::kText});
  }
  manifest.split_rows[static_cast<size_t>(data::Split::kTrain)] = std::numeric_limits<int32_t>::max();
  auto made = learning::MakeTrainSettings("gpt", settings, manifest, &base.model.metadata);
  if (!made.ok() && made.error().param == "base") {
    Error error = made.error();
    error.param = "model";
    return error;
  }
  return made.ok() ? Status() : Status(made.error());
}

std::string ResultName(const Services& services, const Base& base, const std::string& suffix) {
  std::string name = "ft-" + base.model.model_name.substr(0, kMaxBaseBytes);
  while (!IsUtf8(name)) {
    name.pop_back();
  }
  return name + (suffix.empty() ? "" : "-" + suffix) + "-" + NewId("", services.rng).substr(0, kIdBytes);
}

json::object SourceOf(const data::File& file, const char* path) {
  json::object source = storage::ToJson(file.blob);
  source["path"] = path;
  return source;
}

int64_t RandomSeed(const Services& services) {
  uint32_t bits = 0;
  services.rng.Fill(std::as_writable_bytes(std::span(&bits, 1)));
  return bits & 0x7FFFFFFFU;
}

struct Asked {
  Base base{};
  std::string model;  // as the client named it
  data::File training{};
  std::optional<data::File> validation{};
  MethodChoice method{};
  json::object settings{};  // of the family, with `method`
  std::string suffix{};
  json::object metadata{};
  int64_t seed = 0;
};

Result<Asked> ReadRequest(const Services& services, const json::object& request) {
  Fields fields(request);
  Asked out;
  ATELIER_ASSIGN(model, fields.String("model", kMaxNameBytes));
  ATELIER_ASSIGN(training, fields.String("training_file", 128));
  ATELIER_ASSIGN(validation, fields.StringOr("validation_file", "", 128));
  ATELIER_ASSIGN(suffix, fields.StringOr("suffix", "", kMaxSuffixBytes));
  ATELIER_ASSIGN(seed, fields.IntOr("seed", RandomSeed(services), 0, std::numeric_limits<int32_t>::max()));
  ATELIER_ASSIGN(metadata, ReadMetadata(fields));
  ATELIER_ASSIGN(method, ReadMethod(fields));
  ATELIER_ASSIGN(integrations, fields.ArrayOr("integrations", 16));
  ATELIER_ASSIGN(settings, fields.ObjectOr("settings"));
  ATELIER_TRY(fields.RejectUnknown());
  if (integrations != nullptr && !integrations->empty()) {
    return InvalidArgument("'integrations' are not offered here", "integrations");
  }
  if (!suffix.empty()) {
    ATELIER_TRY(ValidateName(suffix, "suffix"));
  }
  ATELIER_ASSIGN(base, FindBase(services, model));
  ATELIER_ASSIGN(training_file, FindTuningFile(services, training, "training_file"));
  if (!validation.empty()) {
    ATELIER_ASSIGN(file, FindTuningFile(services, validation, "validation_file"));
    out.validation = std::move(file);
  }
  out.settings = settings == nullptr ? json::object() : *settings;
  ATELIER_ASSIGN(adapter, ChooseAdapter(base, out.settings));
  out.settings["method"] = adapter;
  ATELIER_TRY(CheckSettings(base, out.settings, method.type == "dpo"));
  out.base = std::move(base);
  out.model = std::move(model);
  out.training = std::move(training_file);
  out.method = std::move(method);
  out.suffix = std::move(suffix);
  out.metadata = std::move(metadata);
  out.seed = seed;
  return out;
}

}  // namespace

Result<json::object> FineTuneSpec(const Services& services, const json::object& request) {
  ATELIER_ASSIGN(asked, ReadRequest(services, request));
  const std::string name = ResultName(services, asked.base, asked.suffix);
  json::array files{SourceOf(asked.training, "training_file")};
  if (asked.validation) {
    files.push_back(SourceOf(*asked.validation, "validation_file"));
  }
  json::object reading = platform::NewSpec(services, request);
  reading["name"] = name;
  reading["files"] = std::move(files);
  reading["options"] = json::object{{"format", asked.method.type == "dpo" ? "preferences" : "tuning"}};
  json::object train = platform::NewSpec(services, request);
  train["family"] = "gpt";
  train["model"] = name;
  train["base"] = platform::ModelPart(asked.base.model);
  train["base"].as_object()["metadata"] = asked.base.model.metadata;
  train["code_version"] = services.code_version;
  json::object spec = platform::NewSpec(services, request);
  spec["tuning"] = {{"model", asked.model},
                    {"training_file", asked.training.id},
                    {"validation_file", asked.validation ? json::value(asked.validation->id) : json::value(nullptr)},
                    {"training_bytes", asked.training.blob.size},
                    {"method", asked.method.type},
                    {"hyperparameters", asked.method.hyperparameters},
                    {"seed", asked.seed},
                    {"metadata", asked.metadata}};
  spec["import"] = std::move(reading);
  spec["train"] = std::move(train);
  const bool adapter = GetString(asked.settings, "method") != "full";
  spec["settings"] = std::move(asked.settings);
  spec["model"] = name;
  if (adapter) {
    spec["adapter_of"] = asked.base.deployment->name;
    spec["max_adapters"] = MaxAdapters(*asked.base.deployment);
  } else {
    spec["deploy"] = name;
  }
  return spec;
}

}  // namespace atelier::api::openai

#include "kinds.h"

#include "base/json.h"
#include "data/importer.h"
#include "data/steps/step.h"
#include "search_jobs.h"
#include "storage/blob_json.h"
#include "tune_jobs.h"

namespace atelier::apps {
namespace {

Result<const json::object*> Member(const json::object& object, std::string_view key) {
  Fields fields(object);
  ATELIER_ASSIGN(member, fields.ObjectOr(key));
  if (member == nullptr) {
    return Internal("the job's JSON lacks '" + std::string(key) + "'");
  }
  return member;
}

Status CommitDataset(data::Store& datasets, soci::session& session, const jobs::Job& job, json::object& result) {
  ATELIER_ASSIGN(manifest_json, Member(result, "manifest"));
  ATELIER_ASSIGN(manifest, storage::BlobRefFromJson(*manifest_json, "manifest"));
  std::optional<int64_t> parent;
  if (job.spec.contains("version")) {
    parent = GetInt(job.spec, "version");
  }
  ATELIER_ASSIGN(version, datasets.AddVersion(session, GetString(job.spec, "name"),
                                              {manifest, GetInt(result, "rows"), job.id, parent}));
  result["dataset"] = version.dataset_name;
  result["version"] = version.version;
  return {};
}

Status CommitModel(registry::Registry& registry, soci::session& session, const jobs::Job& job, json::object& result) {
  ATELIER_ASSIGN(file_list, Member(result, "files"));
  ATELIER_ASSIGN(metadata, Member(result, "metadata"));
  std::map<std::string, storage::BlobRef> files;
  for (const auto& file : *file_list) {
    ATELIER_ASSIGN(ref_json, Member(*file_list, file.key()));
    ATELIER_ASSIGN(ref, storage::BlobRefFromJson(*ref_json, "files"));
    files.emplace(file.key(), std::move(ref));
  }
  ATELIER_ASSIGN(version,
                 registry.AddVersion(session, GetString(job.spec, "model"), std::move(files), *metadata, job.id));
  if (const std::string deployment = GetString(job.spec, "deploy"); !deployment.empty()) {
    ATELIER_TRY(registry.PutDeployment(session, deployment, {version.model_name, {{version.version, 100}}}));
    result["deployment"] = deployment;
  }
  result["model"] = version.model_name;
  result["version"] = version.version;
  return {};
}

// Loads the adapter beside its base. A base that is gone, or full, leaves a model that is not served.
Status CommitTuning(registry::Registry& registry, soci::session& session, const jobs::Job& job, json::object& result) {
  ATELIER_TRY(CommitModel(registry, session, job, result));
  const std::string base = GetString(job.spec, "adapter_of");
  if (base.empty()) {
    return {};
  }
  const std::string model = GetString(result, "model");
  const auto added = registry.AddAdapter(session, base, {model, model, GetInt(result, "version")},
                                         static_cast<size_t>(GetInt(job.spec, "max_adapters")));
  if (added.ok()) {
    result["deployment"] = base;
  } else {
    result["not_served"] = added.error().message;
  }
  return {};
}

Status CommitEvaluation(registry::Registry& registry, soci::session& session, const jobs::Job& job,
                        json::object& result) {
  ATELIER_ASSIGN(model, Member(job.spec, "model"));
  ATELIER_ASSIGN(dataset, Member(job.spec, "dataset"));
  ATELIER_ASSIGN(metrics, Member(result, "metrics"));
  registry::Evaluation evaluation;
  evaluation.model_name = GetString(*model, "name");
  evaluation.model_version = GetInt(*model, "version");
  evaluation.dataset_name = GetString(*dataset, "name");
  evaluation.dataset_version = GetInt(*dataset, "version");
  evaluation.split = GetString(job.spec, "split");
  evaluation.metrics = *metrics;
  evaluation.job_id = job.id;
  if (result.contains("predictions")) {
    ATELIER_ASSIGN(object, Member(result, "predictions"));
    ATELIER_ASSIGN(blob, storage::BlobRefFromJson(*object, "predictions"));
    evaluation.predictions = std::move(blob);
  }
  ATELIER_ASSIGN(added, registry.AddEvaluation(session, std::move(evaluation)));
  result["evaluation"] = added.id;
  return {};
}

// Pictures and recordings need OpenCV and libsndfile, which only atelier-torch links.
std::string ImportProgram(const json::object& spec) {
  std::vector<data::SourceFile> files;
  if (const auto* list = spec.if_contains("files"); list != nullptr && list->is_array()) {
    for (const auto& item : list->get_array()) {
      if (item.is_object()) {
        files.push_back({GetString(item.get_object(), "path"), {}});
      }
    }
  }
  std::string format = "auto";
  if (const auto* options = spec.if_contains("options"); options != nullptr && options->is_object()) {
    format = GetString(options->get_object(), "format", format);
  }
  return data::NeedsImages(files, format) ? "atelier-torch" : "atelier";
}

std::string ProcessProgram(const json::object& spec) {
  const json::value* process = spec.if_contains("process");
  const bool media = process != nullptr && process->is_object() && data::steps::NeedsMedia(process->get_object());
  return media ? "atelier-torch" : "atelier";
}

}  // namespace

std::vector<jobs::Kind> JobKinds(data::Store& datasets, registry::Registry& registry) {
  const auto always = [](std::string program) { return [program](const json::object&) { return program; }; };
  const auto commit_dataset = [&datasets](soci::session& session, const jobs::Job& job, json::object& result) {
    return CommitDataset(datasets, session, job, result);
  };
  const auto commit_model = [&registry](soci::session& session, const jobs::Job& job, json::object& result) {
    return CommitModel(registry, session, job, result);
  };
  return {
      {"import", ImportProgram, commit_dataset},
      {"process", ProcessProgram, commit_dataset},
      {.name = "preview", .program = ProcessProgram, .commit = nullptr, .brief = true},
      {"train", always("atelier-torch"), commit_model},
      {"trial", always("atelier-torch"), {}},
      {.name = "search", .program = {}, .commit = commit_model, .advance = AdvanceSearch},
      {.name = "fine_tune",
       .program = {},
       .commit = [&registry](soci::session& session, const jobs::Job& job,
                             json::object& result) { return CommitTuning(registry, session, job, result); },
       .advance = AdvanceTune},
      {.name = "cross_validate", .program = {}, .commit = {}, .advance = AdvanceFolds},
      {"import_model", always("atelier"), commit_model},
      {"quantize_model", always("atelier"), commit_model},
      {"pull_model", always("atelier"), commit_model},
      {"train_tagger", always("atelier"), commit_model},
      {"evaluate", always("atelier-torch"),
       [&registry](soci::session& session, const jobs::Job& job, json::object& result) {
         return CommitEvaluation(registry, session, job, result);
       }},
  };
}

}  // namespace atelier::apps

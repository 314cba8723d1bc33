#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/rng.h"
#include "families/weights.h"
#include "learning/evaluate.h"
#include "learning/job_data.h"
#include "learning/jobs.h"
#include "learning/language_models.h"
#include "learning/trainer.h"
#include "storage/blob_json.h"

namespace atelier::learning {
namespace {

constexpr uint64_t kValidationStream = 0x7A11D;

struct Request {
  const families::Entry* entry = nullptr;
  std::string family;
  std::string code_version;
  json::object settings;  // complete
  json::object base;      // {"name","version"} of the model to go on from; empty: from scratch
  families::ModelFiles base_files;
};

Result<json::object> ReadBase(const json::object& spec) {
  Fields fields(spec);
  ATELIER_ASSIGN(base, fields.ObjectOr("base"));
  if (base == nullptr) {
    return json::object();
  }
  return json::object{{"name", GetString(*base, "name")}, {"version", GetInt(*base, "version")}};
}

Result<Request> ReadRequest(const json::object& spec, JobData& data) {
  Fields fields(spec);
  ATELIER_ASSIGN(family, fields.String("family"));
  ATELIER_ASSIGN(code_version, fields.StringOr("code_version", ""));
  ATELIER_ASSIGN(entry, families::FindEntry(family));
  ATELIER_ASSIGN(user, fields.ObjectOr("settings"));
  ATELIER_ASSIGN(base, ReadBase(spec));
  families::ModelFiles base_files;
  json::object base_metadata;
  if (!base.empty()) {
    ATELIER_ASSIGN(files, OpenModelFiles(*data.blobs, spec, "base"));
    base_files = std::move(files);
    // Imported models have it in the registry alone.
    const json::value* metadata = spec.at("base").as_object().if_contains("metadata");
    if (metadata != nullptr && metadata->is_object()) {
      base_metadata = metadata->get_object();
    } else {
      ATELIER_ASSIGN(file, families::JsonFile(base_files, families::kMetadataFile));
      base_metadata = std::move(file);
    }
  }
  ATELIER_ASSIGN(settings, MakeTrainSettings(family, user == nullptr ? json::object() : *user, data.reader->manifest(),
                                             base.empty() ? nullptr : &base_metadata));
  return Request{entry, family, code_version, std::move(settings), std::move(base), std::move(base_files)};
}

// The data set's own validation rows, else the set share of train, drawn by the seed; of a forecast the last ones.
families::TrainRows DivideRows(const data::Reader& reader, const json::object& all) {
  const TrainSettings settings = TrainSettingsOf(all);
  families::TrainRows rows{reader.Rows(data::Split::kTrain), reader.Rows(data::Split::kValidation)};
  if (!rows.validation.empty() || settings.validation <= 0) {
    return rows;
  }
  const auto wanted = static_cast<int64_t>(static_cast<double>(rows.train.size()) * settings.validation + 0.5);
  const auto count = std::clamp<int64_t>(wanted, 1, static_cast<int64_t>(rows.train.size()) - 1);
  if (GetString(all, "task") == "forecasting") {
    rows.validation.assign(rows.train.end() - count, rows.train.end());
    rows.train.resize(rows.train.size() - static_cast<size_t>(count));
    return rows;
  }
  SeededRng(settings.seed, kValidationStream).Shuffle(rows.train);
  rows.validation.assign(rows.train.begin(), rows.train.begin() + count);
  rows.train.erase(rows.train.begin(), rows.train.begin() + count);
  std::ranges::sort(rows.validation);
  std::ranges::sort(rows.train);
  return rows;
}

json::array HistoryToJson(const TrainOutcome& outcome) {
  json::array history;
  for (size_t i = 0; i < outcome.history.size(); ++i) {
    const EpochRecord& record = outcome.history[i];
    json::object row{
        {"epoch", i + 1}, {"loss", record.loss}, {"metric", record.metric}, {"learning_rate", record.learning_rate}};
    if (outcome.validated) {
      row["validation_loss"] = record.validation_loss;
      row["validation_metric"] = record.validation_metric;
    }
    history.push_back(std::move(row));
  }
  return history;
}

json::object TrainingToJson(const TrainOutcome& outcome, const families::Learner& learner) {
  return {{"epochs", std::ssize(outcome.history)},
          {"best_epoch", outcome.best_epoch},
          {"steps_per_epoch", outcome.steps_per_epoch},
          {"stopped_early", outcome.stopped_early},
          {"precision", outcome.precision},
          {"metric_name", learner.metric_name()},
          {"history", HistoryToJson(outcome)}};
}

TrainOptions OptionsFor(const JobContext& context, const Request& request, const JobData& data) {
  const json::object identity{{"family", request.family},
                              {"manifest", data.manifest_sha256},
                              {"settings", request.settings},
                              {"base", request.base}};
  return TrainOptions{.settings = TrainSettingsOf(request.settings),
                      .checkpoint_directory = context.directory / "checkpoint",
                      .fingerprint = Sha256Hex(json::serialize(identity)),
                      .threads = context.threads,
                      .cancelled = context.cancelled,
                      .progress = context.progress,
                      .message = context.message};
}

// Trains with the trainer, or as the family does it itself.
Result<families::LearnedModel> Learn(const JobContext& context, const Request& request, const JobData& data,
                                     const families::LearnInput& input) {
  if (request.entry->train != nullptr) {
    return request.entry->train(input, *data.blobs);
  }
  ATELIER_ASSIGN(learner, request.entry->learn(input));
  ATELIER_ASSIGN(outcome, Train(*learner, OptionsFor(context, request, data)));
  ATELIER_ASSIGN(files, learner->Save(*data.blobs));
  return families::LearnedModel{std::move(files), learner->Describe(), TrainingToJson(outcome, *learner)};
}

json::object FilesToJson(const std::map<std::string, storage::BlobRef>& files) {
  json::object object;
  for (const auto& [name, ref] : files) {
    object[name] = storage::ToJson(ref);
  }
  return object;
}

// Metrics on the best split there is, of the model as it was saved; empty where the family measures nothing.
Result<json::object> FinalMetrics(const JobContext& context, const Request& request, const JobData& data,
                                  const families::LearnInput& input, const json::object& files) {
  if (request.entry->measure == nullptr) {
    return json::object();
  }
  const auto& all_test = data.reader->Rows(data::Split::kTest);
  // A search chooses by the validation rows: it must not see the others.
  const bool choosing = GetString(context.spec, "evaluate_on") == "validation";
  const auto& test = choosing ? std::vector<int64_t>() : all_test;
  const auto& validation = input.rows.validation;
  const auto& rows = !test.empty() ? test : (!validation.empty() ? validation : input.rows.train);
  if (choosing && validation.empty()) {
    return InvalidArgument("there are no validation rows to choose by", "settings.validation", "dataset_unsuitable");
  }
  ATELIER_ASSIGN(local, LocalFiles(*data.blobs, files));
  ATELIER_ASSIGN(
      evaluated,
      Evaluate(*request.entry, local,
               {.reader = *data.reader, .rows = rows, .threads = context.threads, .cancelled = context.cancelled}));
  evaluated.metrics["split"] = !test.empty() ? "test" : (!validation.empty() ? "validation" : "train");
  return std::move(evaluated.metrics);
}

json::object Metadata(const JobData& data, const Request& request, const JobContext& context,
                      const families::LearnedModel& model) {
  json::object metadata{{"format_version", 1}, {"family", request.family}};
  for (const auto& member : model.description) {
    metadata[member.key()] = member.value();
  }
  json::object lineage{{"dataset", data.dataset_name},
                       {"dataset_version", data.dataset_version},
                       {"manifest_sha256", data.manifest_sha256},
                       {"code_version", request.code_version},
                       {"family", request.family},
                       {"seed", GetInt(request.settings, "seed")},
                       {"settings", request.settings},
                       {"job_id", context.directory.filename().string()}};
  if (!request.base.empty()) {
    lineage["base"] = request.base;
  }
  metadata["lineage"] = std::move(lineage);
  return metadata;
}

// The numbers of the metrics without their tables, for lists.
json::object Headline(const json::object& metrics) {
  json::object headline;
  for (const auto& member : metrics) {
    if (!member.value().is_array()) {
      headline[member.key()] = member.value();
    }
  }
  return headline;
}

}  // namespace

Result<json::object> TrainJob(const JobContext& context) {
  ATELIER_ASSIGN(data, OpenJobData(context.spec));
  ATELIER_ASSIGN(request, ReadRequest(context.spec, data));
  const families::ModelFiles base_files = request.base_files;
  ATELIER_ASSIGN(base, AsHuggingFace(base_files, context.directory / "base"));
  const families::LearnInput input{.family = request.family,
                                   .settings = request.settings,
                                   .reader = *data.reader,
                                   .rows = DivideRows(*data.reader, request.settings),
                                   .base = std::move(base),
                                   .base_version = request.base,
                                   .threads = context.threads,
                                   .directory = context.directory,
                                   .cancelled = context.cancelled,
                                   .progress = context.progress,
                                   .message = context.message};
  ATELIER_ASSIGN(model, Learn(context, request, data, input));
  std::error_code ignored;
  std::filesystem::remove_all(context.directory / "base", ignored);
  ATELIER_TRY(AddEngineFile({.base = base_files, .work = context.directory / "engine", .threads = context.threads},
                            *data.blobs, model));
  json::object metadata = Metadata(data, request, context, model);
  json::object files = FilesToJson(model.files);
  // The family of the saved model is read from this file, which the last one, with the metrics, replaces.
  ATELIER_ASSIGN(draft, families::StoreJson(*data.blobs, metadata));
  files[families::kMetadataFile] = storage::ToJson(draft);
  ATELIER_ASSIGN(metrics, FinalMetrics(context, request, data, input, files));
  if (const auto weights = model.files.find(families::kWeightsFile); weights != model.files.end()) {
    metadata["weights_sha256"] = weights->second.sha256;
  }
  metadata["metrics"] = metrics;
  json::object training = model.training;
  training["train_rows"] = std::ssize(input.rows.train);
  training["validation_rows"] = std::ssize(input.rows.validation);
  metadata["training"] = std::move(training);
  ATELIER_ASSIGN(metadata_file, families::StoreJson(*data.blobs, metadata));
  files[families::kMetadataFile] = storage::ToJson(metadata_file);
  return json::object{{"files", std::move(files)}, {"metadata", metadata}, {"metrics", Headline(metrics)}};
}

}  // namespace atelier::learning

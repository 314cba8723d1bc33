#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/rng.h"
#include "families/predictor.h"
#include "learning/evaluate.h"
#include "learning/job_data.h"
#include "learning/jobs.h"
#include "learning/trainer.h"
#include "storage/blob_json.h"

namespace atelier::learning {
namespace {

constexpr uint64_t kValidationStream = 0x7A11D;

struct Request {
  std::string family;
  std::string model;
  std::string code_version;
  TrainSettings settings;
};

Result<Request> ReadRequest(const json::object& spec) {
  Fields fields(spec);
  ATELIER_ASSIGN(family, fields.String("family"));
  ATELIER_ASSIGN(model, fields.StringOr("model", ""));
  ATELIER_ASSIGN(code_version, fields.StringOr("code_version", ""));
  ATELIER_ASSIGN(object, fields.ObjectOr("settings"));
  ATELIER_ASSIGN(settings, TrainSettingsFromJson(family, object == nullptr ? json::object() : *object));
  return Request{family, model, code_version, std::move(settings)};
}

struct Rows {
  std::vector<int64_t> train;
  std::vector<int64_t> validation;
};

// The data set's own validation rows, else the set share of train, drawn by the seed.
Rows DivideRows(const data::Reader& reader, const TrainSettings& settings) {
  Rows rows{reader.Rows(data::Split::kTrain), reader.Rows(data::Split::kValidation)};
  if (!rows.validation.empty() || settings.validation <= 0) {
    return rows;
  }
  const auto wanted = static_cast<int64_t>(static_cast<double>(rows.train.size()) * settings.validation + 0.5);
  const auto count = std::clamp<int64_t>(wanted, 1, static_cast<int64_t>(rows.train.size()) - 1);
  SeededRng(settings.seed, kValidationStream).Shuffle(rows.train);
  rows.validation.assign(rows.train.begin(), rows.train.begin() + count);
  rows.train.erase(rows.train.begin(), rows.train.begin() + count);
  std::ranges::sort(rows.validation);
  std::ranges::sort(rows.train);
  return rows;
}

struct Prepared {
  families::Model model;
  families::Samples train;
  families::Samples validation;
};

Result<Prepared> Prepare(const data::Reader& reader, const Request& request, const JobContext& context) {
  Prepared prepared;
  auto& model = prepared.model;
  ATELIER_ASSIGN(checked, MakeTrainSettings(request.family, ToJson(request.settings), reader.manifest()));
  ATELIER_ASSIGN(config, MakeModelConfig(request.family, request.settings, reader.manifest()));
  model.config = std::move(config);
  const Rows rows = DivideRows(reader, request.settings);
  ATELIER_ASSIGN(draft, families::MakePreprocessor(reader.manifest(), model.config));
  ATELIER_ASSIGN(train, families::LoadSamples(reader, rows.train, draft));
  ATELIER_TRY(families::FitStatistics(train, draft));
  // Through its own JSON, so that what is trained on is exactly what will be loaded for serving.
  ATELIER_ASSIGN(text, ParseJson(json::serialize(ToJson(draft)), {.max_bytes = 64U << 20U, .max_depth = 32}));
  ATELIER_ASSIGN(preprocessor, families::PreprocessorFromJson(text, model.config));
  model.preprocessor = std::move(preprocessor);
  ATELIER_ASSIGN(validation, families::LoadSamples(reader, rows.validation, model.preprocessor));
  if (context.message && train.dropped + validation.dropped > 0) {
    context.message("warning",
                    std::to_string(train.dropped + validation.dropped) + " rows without a target were left out");
  }
  prepared.train = std::move(train);
  prepared.validation = std::move(validation);
  ATELIER_ASSIGN(network, families::BuildNetwork(model.config, request.settings.seed));
  model.network = std::move(network);
  return prepared;
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

// Metrics on the best split there is.
Result<json::object> FinalMetrics(const data::Reader& reader, const Prepared& prepared, const Request& request,
                                  const JobContext& context) {
  const std::string loss = ResolveLoss(request.settings, prepared.model.config.task);
  const auto& test_rows = reader.Rows(data::Split::kTest);
  ATELIER_ASSIGN(test, families::LoadSamples(reader, test_rows, prepared.model.preprocessor));
  const bool tested = test.rows() > 0;
  const bool validated = prepared.validation.rows() > 0;
  const families::Samples& samples = tested ? test : (validated ? prepared.validation : prepared.train);
  ATELIER_ASSIGN(metrics, Evaluate(prepared.model, samples, loss, context.cancelled));
  metrics["split"] = tested ? "test" : (validated ? "validation" : "train");
  return metrics;
}

Result<storage::BlobRef> StoreWeights(storage::BlobStore& blobs, const families::Network& network) {
  ATELIER_ASSIGN(writer, blobs.Create());
  ATELIER_TRY(families::WriteWeights(network, [&](std::span<const std::byte> bytes) { return writer->Append(bytes); }));
  return writer->Commit();
}

Result<storage::BlobRef> StoreJson(storage::BlobStore& blobs, const json::object& object) {
  return storage::PutBytes(blobs, json::serialize(object) + "\n");
}

json::object Metadata(const JobData& data, const Request& request, const JobContext& context,
                      const Prepared& prepared) {
  const auto& model = prepared.model;
  int64_t parameters = 0;
  for (const auto& parameter : model.network->parameters()) {
    parameters += parameter.numel();
  }
  return {{"format_version", 1},
          {"family", request.family},
          {"task", model.config.task},
          {"labels", json::value_from(model.preprocessor.target.labels)},
          {"signature", families::ToJson(families::MakeSignature(model.config, model.preprocessor))},
          {"parameters", parameters},
          {"lineage",
           {{"dataset", data.dataset_name},
            {"dataset_version", data.dataset_version},
            {"manifest_sha256", data.manifest_sha256},
            {"code_version", request.code_version},
            {"seed", static_cast<int64_t>(request.settings.seed)},
            {"settings", ToJson(request.settings)},
            {"job_id", context.directory.filename().string()}}}};
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

TrainOptions OptionsFor(const JobContext& context, const Request& request, const JobData& data) {
  const json::object identity{
      {"family", request.family}, {"manifest", data.manifest_sha256}, {"settings", ToJson(request.settings)}};
  return TrainOptions{.settings = request.settings,
                      .checkpoint_directory = context.directory / "checkpoint",
                      .fingerprint = Sha256Hex(json::serialize(identity)),
                      .threads = context.threads,
                      .cancelled = context.cancelled,
                      .progress = context.progress,
                      .message = context.message};
}

}  // namespace

Result<json::object> TrainJob(const JobContext& context) {
  ATELIER_ASSIGN(request, ReadRequest(context.spec));
  ATELIER_ASSIGN(data, OpenJobData(context.spec));
  ATELIER_ASSIGN(prepared, Prepare(*data.reader, request, context));
  ATELIER_ASSIGN(outcome,
                 Train(prepared.model, prepared.train, prepared.validation, OptionsFor(context, request, data)));
  ATELIER_ASSIGN(metrics, FinalMetrics(*data.reader, prepared, request, context));

  ATELIER_ASSIGN(weights, StoreWeights(*data.blobs, *prepared.model.network));
  ATELIER_ASSIGN(config, StoreJson(*data.blobs, families::ToJson(prepared.model.config)));
  ATELIER_ASSIGN(preprocessor, StoreJson(*data.blobs, families::ToJson(prepared.model.preprocessor)));
  json::object metadata = Metadata(data, request, context, prepared);
  metadata["weights_sha256"] = weights.sha256;
  metadata["metrics"] = metrics;
  metadata["training"] = {{"epochs", outcome.history.size()},
                          {"best_epoch", outcome.best_epoch},
                          {"stopped_early", outcome.stopped_early},
                          {"precision", outcome.precision},
                          {"metric_name", MetricName(prepared.model)},
                          {"train_rows", prepared.train.rows()},
                          {"validation_rows", prepared.validation.rows()},
                          {"history", HistoryToJson(outcome)}};
  ATELIER_ASSIGN(metadata_file, StoreJson(*data.blobs, metadata));
  return json::object{{"files",
                       {{families::kConfigFile, storage::ToJson(config)},
                        {families::kWeightsFile, storage::ToJson(weights)},
                        {families::kPreprocessorFile, storage::ToJson(preprocessor)},
                        {families::kMetadataFile, storage::ToJson(metadata_file)}}},
                      {"metadata", metadata},
                      {"metrics", Headline(metrics)}};
}

}  // namespace atelier::learning

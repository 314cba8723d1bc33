#include "base/json.h"
#include "families/process.h"
#include "learning/evaluate.h"
#include "learning/job_data.h"
#include "learning/jobs.h"
#include "learning/spec/train_settings.h"

namespace atelier::learning {
namespace {

Result<std::filesystem::path> PathOf(storage::BlobStore& blobs, const json::object& files, std::string_view name) {
  const auto* file = files.if_contains(name);
  if (file == nullptr || !file->is_object()) {
    return InvalidArgument("the model has no file " + std::string(name), "model.files", "invalid_model_file");
  }
  return blobs.LocalPath(GetString(file->get_object(), "sha256"));
}

Result<families::Model> OpenModel(storage::BlobStore& blobs, const json::object& spec) {
  const auto* model = spec.if_contains("model");
  const auto* files = model != nullptr && model->is_object() ? model->get_object().if_contains("files") : nullptr;
  if (files == nullptr || !files->is_object()) {
    return InvalidArgument("the job names no model files", "model.files");
  }
  ATELIER_ASSIGN(config, PathOf(blobs, files->get_object(), families::kConfigFile));
  ATELIER_ASSIGN(weights, PathOf(blobs, files->get_object(), families::kWeightsFile));
  ATELIER_ASSIGN(preprocessor, PathOf(blobs, files->get_object(), families::kPreprocessorFile));
  return families::LoadModel({config, weights, preprocessor});
}

}  // namespace

Result<json::object> EvaluateJob(const JobContext& context) {
  ATELIER_ASSIGN(data, OpenJobData(context.spec));
  ATELIER_ASSIGN(split, data::SplitFromName(GetString(context.spec, "split", "test")));
  ATELIER_ASSIGN(model, OpenModel(*data.blobs, context.spec));
  const auto& rows = data.reader->Rows(split);
  if (rows.empty()) {
    return InvalidArgument("the data set has no rows in its " + std::string(Name(split)) + " split", "split",
                           "dataset_unsuitable");
  }
  families::ConfigureProcess(context.threads);
  ATELIER_ASSIGN(samples, families::LoadSamples(*data.reader, rows, model.preprocessor));
  ATELIER_ASSIGN(metrics, Evaluate(model, samples, ResolveLoss({}, model.config.task), context.cancelled));
  metrics["split"] = Name(split);
  return json::object{{"metrics", std::move(metrics)}};
}

}  // namespace atelier::learning

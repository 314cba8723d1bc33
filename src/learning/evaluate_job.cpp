#include "base/json.h"
#include "learning/evaluate.h"
#include "learning/evaluation/figures.h"
#include "learning/evaluation/report.h"
#include "learning/job_data.h"
#include "learning/jobs.h"
#include "learning/language_models.h"
#include "storage/blob_json.h"

namespace atelier::learning {
namespace {

// By the engine where that serves the model, else by its family.
Result<Evaluated> EvaluateModel(const JobContext& context, const JobData& data, const families::ModelFiles& files,
                                const families::MeasureInput& input) {
  if (!HasGguf(files)) {
    ATELIER_ASSIGN(entry, families::EntryOf(files));
    return Evaluate(*entry, files, input);
  }
  LanguageModelFiles model{.model = files};
  if (context.spec.contains("base")) {
    ATELIER_ASSIGN(base, OpenModelFiles(*data.blobs, context.spec, "base"));
    model.base = std::move(base);
  }
  ATELIER_ASSIGN(outcomes, MeasureLanguageModel(model, input));
  return Evaluate(outcomes);
}

}  // namespace

Result<json::object> EvaluateJob(const JobContext& context) {
  ATELIER_ASSIGN(data, OpenJobData(context.spec));
  ATELIER_ASSIGN(split, data::SplitFromName(GetString(context.spec, "split", "test")));
  ATELIER_ASSIGN(files, OpenModelFiles(*data.blobs, context.spec, "model"));
  const auto& rows = data.reader->Rows(split);
  if (rows.empty()) {
    return InvalidArgument("the data set has no rows in its " + std::string(Name(split)) + " split", "split",
                           "dataset_unsuitable");
  }
  ATELIER_ASSIGN(
      evaluated,
      EvaluateModel(
          context, data, files,
          {.reader = *data.reader, .rows = rows, .threads = context.threads, .cancelled = context.cancelled}));
  json::object result;
  if (evaluated.predictions.has_value()) {
    ATELIER_TRY(AddKeys(*data.reader, *evaluated.predictions));
    evaluated.metrics["intervals"] = IntervalsOf(*evaluated.predictions, {});
    ATELIER_ASSIGN(blob, StorePredictions(*data.blobs, *evaluated.predictions));
    result["predictions"] = storage::ToJson(blob);
  }
  evaluated.metrics["split"] = Name(split);
  result["metrics"] = std::move(evaluated.metrics);
  return result;
}

}  // namespace atelier::learning

#include "base/json.h"
#include "learning/evaluate.h"
#include "learning/job_data.h"
#include "learning/jobs.h"

namespace atelier::learning {

Result<json::object> EvaluateJob(const JobContext& context) {
  ATELIER_ASSIGN(data, OpenJobData(context.spec));
  ATELIER_ASSIGN(split, data::SplitFromName(GetString(context.spec, "split", "test")));
  ATELIER_ASSIGN(files, OpenModelFiles(*data.blobs, context.spec, "model"));
  ATELIER_ASSIGN(entry, families::EntryOf(files));
  const auto& rows = data.reader->Rows(split);
  if (rows.empty()) {
    return InvalidArgument("the data set has no rows in its " + std::string(Name(split)) + " split", "split",
                           "dataset_unsuitable");
  }
  ATELIER_ASSIGN(
      metrics,
      Evaluate(*entry, files,
               {.reader = *data.reader, .rows = rows, .threads = context.threads, .cancelled = context.cancelled}));
  metrics["split"] = Name(split);
  return json::object{{"metrics", std::move(metrics)}};
}

}  // namespace atelier::learning

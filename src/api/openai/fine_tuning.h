// Fine-tuning jobs: what a request asks for as a job of the kind `fine_tune`, and such a job as OpenAI shows it.
#pragma once

#include <string>
#include <vector>

#include "api/request.h"
#include "api/services.h"
#include "jobs/service.h"

namespace atelier::api::openai {

inline constexpr const char* kFineTuneKind = "fine_tune";

// {"tuning": what was asked, "import": specification of the import of the files, "train": of the training but for data
// and hyperparameters, "settings": of the family gpt, as the client gave them, "model", and "deploy" or "adapter_of"}.
// Errors: kInvalidArgument naming the field; those of the registry and of the files.
Result<json::object> FineTuneSpec(const Services& services, const json::object& request);

// The job and its parts: the import of its files, then the training.
struct TuningJob {
  jobs::Job job;
  std::vector<jobs::Job> parts{};
};
// Errors: kNotFound "job_not_found", also for jobs of other kinds.
Result<TuningJob> FindTuningJob(const Services& services, const std::string& id);
Result<TuningJob> WithParts(const Services& services, jobs::Job job);

json::object TuningObject(const TuningJob& tuning, int64_t now_ms);
// All events there are, the newest first.
Result<std::vector<json::object>> TuningEvents(const Services& services, const TuningJob& tuning);
// The best epoch of a success, whose weights are the model.
json::array TuningCheckpoints(const TuningJob& tuning);

}  // namespace atelier::api::openai

// Fine-tuning as a job of two others: the files become a data set, then a model learns from it.
#pragma once

#include <span>

#include "jobs/job.h"

namespace atelier::apps {

// Of the kind `fine_tune`; its specification is that of api/openai/fine_tuning.h. Starts an `import`, then a `trial`
// with the hyperparameters, of which "auto" follows from the data; its result is that of the trial. Progress:
// {"stage","hyperparameters","train_rows","validation_rows"}. Errors: those of the children, of the import with the
// reason "invalid_training_file" on the file's field; kInvalidArgument (fewer than ten rows).
Result<jobs::Step> AdvanceTune(const jobs::Job& job, std::span<const jobs::Job> children);

}  // namespace atelier::apps

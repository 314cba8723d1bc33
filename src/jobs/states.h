// The state machine of a job: which change follows from which, in one place.
#pragma once

#include <string_view>

#include "base/result.h"
#include "jobs/job.h"

namespace atelier::jobs {

enum class Trigger { kStart, kRecover, kSucceed, kFail, kCancel, kResume };

// The state that `trigger` leads to. Pure. Errors: kFailedPrecondition, "job_finished" where the job has ended and
// the trigger would need it alive, else "job_not_finished".
Result<State> NextState(State state, Trigger trigger);

}  // namespace atelier::jobs

// The body of `pull_model` jobs.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"
#include "jobs/host.h"

namespace atelier::apps {

// From spec["source"] (a reference of hub/reference.h) to the files and the metadata of a model version. The plan and
// what has been fetched stay in the job's folder until it succeeds, so that a killed job goes on with them, at the
// commit that it began with. Tokens and caches are found by the environment.
Result<boost::json::object> PullModelJob(jobs::Host& host);

}  // namespace atelier::apps

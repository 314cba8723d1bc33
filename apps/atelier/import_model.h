// The body of `import_model` jobs.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"
#include "jobs/host.h"

namespace atelier::apps {

// From spec["files"] (path, blob) to the files and the metadata of a model version, loaded once to prove that it runs.
Result<boost::json::object> ImportModelJob(jobs::Host& host);

}  // namespace atelier::apps

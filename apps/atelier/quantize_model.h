// The body of `quantize_model` jobs.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"
#include "jobs/host.h"

namespace atelier::apps {

// From the version in spec["files"] (name to blob) to a version of one GGUF file in spec["format"], loaded once to
// prove that it runs.
Result<boost::json::object> QuantizeModelJob(jobs::Host& host);

}  // namespace atelier::apps

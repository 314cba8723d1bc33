// The body of `train_tagger` jobs.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"
#include "jobs/host.h"

namespace atelier::apps {

// From files of words with tags (spec["files"]) to a model version of one file, tagger.json, with its accuracy on the
// share of sentences that was held out. A job that was killed begins anew and ends the same.
Result<boost::json::object> TrainTaggerJob(jobs::Host& host);

}  // namespace atelier::apps

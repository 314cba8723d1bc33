// Waiting for a job while showing how it gets on.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "atelier/cli/api.h"
#include "atelier/cli/progress.h"
#include "base/result.h"

namespace atelier::cli {

// Lines for one event of a job: `live` to be drawn over, `kept` to stay; either may be empty.
struct EventLines {
  std::string live;
  std::string kept;
};
EventLines DescribeEvent(const boost::json::object& event);

// Follows the job's events to its end and returns the job. A broken connection is taken up again for a minute, so that
// a restart of the server passes unnoticed. Errors: the job's own where it failed or was cancelled; kCancelled
// "interrupted" (the job goes on); the errors of Api.
Result<boost::json::object> FollowJob(Api& api, const std::string& id, Progress& progress);

}  // namespace atelier::cli

// Waiting for a job while showing how it gets on.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>

#include "atelier/cli/api.h"
#include "atelier/cli/progress.h"
#include "atelier/cli/session.h"
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

struct JobWish {
  std::string what;  // it does, to be shown above its progress
  bool follow = false;
};
// Posts a job. Followed, it is waited for; the job is returned for a person to be shown, nothing where all has been
// printed: its id, or JSON. Errors: those of Api and FollowJob.
Result<std::optional<boost::json::object>> StartJob(Session& session, const boost::json::object& request,
                                                    const JobWish& wish);

}  // namespace atelier::cli

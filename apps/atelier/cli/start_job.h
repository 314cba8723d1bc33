// Jobs that a command starts, and waits for where it is told to.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>

#include "atelier/cli/session.h"
#include "base/result.h"

namespace atelier::cli {

struct JobWish {
  std::string what;  // it does, to be shown above its progress
  bool follow = false;
};
// Posts a job. Followed, it is waited for; the job is returned for a person to be shown, nothing where all has been
// printed: its id, or JSON. Errors: those of Api and FollowJob.
Result<std::optional<boost::json::object>> StartJob(Session& session, const boost::json::object& request,
                                                    const JobWish& wish);

}  // namespace atelier::cli

// A version of a data set: fetched, awaited, shown.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "atelier/cli/session.h"
#include "base/result.h"

namespace atelier::cli {

// "latest" or a number.
Result<boost::json::object> GetVersion(Session& session, const std::string& name, const std::string& version);

void PrintVersion(const boost::json::object& version);

// Waits for a job that makes a version of the data set `name`, and shows the version. Errors: the job's.
Status FinishVersion(Session& session, const boost::json::object& job, const std::string& name);

}  // namespace atelier::cli

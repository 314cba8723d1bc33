// What clients send about evals and their runs.
#pragma once

#include <string>
#include <vector>

#include "api/openai/eval_run.h"
#include "api/services.h"
#include "base/json.h"

namespace atelier::api::openai {

// {"name","metadata","data_source_config","testing_criteria"}, checked. Errors:
// kInvalidArgument naming the member.
Result<json::object> ReadEval(const json::object& request);
// The graders of an eval that ReadEval gave.
Result<std::vector<learning::Grader>> GradersOf(const json::object& eval);

// {"name","metadata","data_source","model"} of a run's document, and its rows,
// read and checked; at most 10,000 rows of 64 MiB altogether. Errors:
// kInvalidArgument naming the member, or the line of the file.
struct RunRequest {
  json::object body{};
  EvalSource source{};
};
Result<RunRequest> ReadRun(const Services& services, const json::object& request);

}  // namespace atelier::api::openai

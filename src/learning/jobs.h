// The bodies of `train` and `evaluate` jobs. They know no job queue: the composition hands them what they need.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::learning {

// Everything a job body sees of its surroundings. The callbacks may be empty.
struct JobContext {
  const boost::json::object& spec;
  std::filesystem::path directory{};  // checkpoints go under directory/checkpoint; its name is the job's id
  int threads = 1;
  std::function<bool()> cancelled{};
  std::function<void(boost::json::object)> progress{};
  std::function<void(std::string_view level, std::string_view text)> message{};
};

// spec:   {"blobs","family","model","dataset":{"name","version","manifest":{"sha256","size"}},"settings":{...},
//          "base":{"name","version","files":{NAME:{"sha256","size"}}},"code_version"}; base only to go on from a model
// result: {"files":{NAME:{"sha256","size"}},"metadata":{atelier.json},"metrics":{...}}
// With "evaluate_on": "validation" the metrics are those of the validation rows; "fold": see job_data.h.
// Trains (going on from a checkpoint where one is), evaluates on the first split that has rows of test, validation and
// train, and leaves the files as blobs. The same spec gives the same files, byte for byte.
// Errors: kInvalidArgument (data and settings do not fit), kCancelled, kDataLoss, and those of Train.
Result<boost::json::object> TrainJob(const JobContext& context);

// spec:   {"blobs","model":{"name","version","files":{NAME:{"sha256","size"}}},"dataset":{...},"split":"test"}
// result: {"metrics":{"split","intervals",...},"predictions":{"sha256","size"}}, as Evaluate and IntervalsOf give them;
// no predictions where the task has none.
Result<boost::json::object> EvaluateJob(const JobContext& context);

}  // namespace atelier::learning

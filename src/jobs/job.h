// Long work: what a job is, and how the process that does it talks to the gateway.
//
// A job runs as a child process `PROGRAM job ID --dir DATA_DIR/jobs/ID`. Its folder holds
//   spec.json     what to do, complete: the process needs no catalogue; the specification with "id", "kind" and
//   "attempt" log.txt       standard output and error of all attempts lock          held (flock) by every process of
//   the job as descriptor 4, so that no two attempts overlap checkpoint/   whatever the job keeps to go on after a
//   kill; its own business
// The process writes events to the file descriptor named by ATELIER_EVENT_FD, one JSON object a line:
//   {"type":"progress","data":{...}}    any number; becomes an event and the job's last progress
//   {"type":"message","data":{"level":"info","message":"..."}}
//   {"type":"result","data":{...}}      at most once, the last line of a success
//   {"type":"error","data":{"code":"invalid_argument","message":"...","reason":"...","param":"..."}}  a failure
// and leaves outputs as blobs in the blob store, which nobody sees until the gateway commits the result.
// SIGTERM asks it to stop. It dies with the gateway (PR_SET_PDEATHSIG).
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/catalogue.h"

namespace atelier::jobs {

enum class State { kQueued, kRunning, kSucceeded, kFailed, kCancelled };
std::string_view Name(State state);  // "queued" | "running" | "succeeded" | "failed" | "cancelled"
Result<State> StateFromName(std::string_view name);
inline bool IsFinal(State state) { return state != State::kQueued && state != State::kRunning; }

struct Job {
  std::string id;        // job_...
  std::string kind;      // "import" | "process" | "train" | "evaluate" | "import_model" ...
  std::string parent{};  // the job that this one is a part of; empty: none
  State state = State::kQueued;
  boost::json::object spec;      // for the process; also what the user asked (spec["request"])
  boost::json::object result;    // of a success
  boost::json::object progress;  // the last progress event's data
  std::optional<Error> error{};  // of a failure
  int attempt = 0;               // processes started for it so far
  bool cancel_requested = false;
  bool paused = false;  // cancelled, or about to be, to be resumed later
  int64_t created_ms = 0;
  int64_t started_ms = 0;   // 0: not yet; of the last attempt
  int64_t finished_ms = 0;  // 0: not yet
};

struct Event {
  int64_t sequence = 0;  // 1, 2, ... within the job
  int64_t at_ms = 0;
  std::string type;  // "state" | "progress" | "message" | "error"
  boost::json::object data;
};

// What a job that consists of others does next.
struct Step {
  struct NewJob {
    std::string kind;
    boost::json::object spec;
  };
  std::vector<NewJob> create{};                 // children to add
  boost::json::object progress{};               // an event, where it is not empty and has changed
  std::optional<boost::json::object> result{};  // it has succeeded; nothing may be created along with that
};

// How a kind of job runs and what its success means. The list of kinds is given by the composition.
struct Kind {
  std::string name;
  // "atelier" | "atelier-torch", by what the specification needs; beside the gateway's own executable.
  std::function<std::string(const boost::json::object& spec)> program;
  // Publishes the outputs, in the very transaction that marks the job succeeded; may add to `result`. An error makes
  // the job failed.
  std::function<Status(soci::session&, const Job&, boost::json::object& result)> commit;
  // Somebody waits for it and it is over in seconds: it runs beside the jobs that take long, not behind them.
  bool brief = false;
  // Of a kind whose work is done by other jobs, in place of a program: called when the job starts and whenever a child
  // (in order of creation) may have changed, until it gives a result or an error, which ends the children that are
  // left. A pure function: it is asked again after a restart. No result, nothing to create and no child left is an
  // error.
  std::function<Result<Step>(const Job& job, std::span<const Job> children)> advance{};
};

}  // namespace atelier::jobs

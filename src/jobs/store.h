// Jobs and their events as rows of the catalogue. Every change of state goes through NextState, and is one transaction
// with the "state" event that tells of it.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/events.h"
#include "jobs/job.h"
#include "jobs/service.h"
#include "jobs/verdict.h"
#include "storage/catalogue.h"

namespace atelier::jobs {

// How an attempt ended, to be written by Finish.
struct Finish {
  std::string id;
  int attempt = 0;
  Batch batch;        // what the process said last
  Verdict verdict{};  // its state is final
  boost::json::object result;
};

// Thread-safe. Errors of the catalogue come through unchanged everywhere.
class Store {
 public:
  Store(storage::Catalogue& catalogue, Clock& clock) : catalogue_(catalogue), clock_(clock) {}

  // Children of one job, all or none; nothing happens where it no longer runs in this attempt.
  struct NewChild {
    std::string id;
    Step::NewJob job;
  };
  Status AddChildren(const Job& parent, std::vector<NewChild> children);
  Result<std::vector<Job>> Children(const std::string& id);  // in order of creation

  // Errors: kResourceExhausted "queue_full" when `max_queued` jobs wait already.
  Result<Job> Create(std::string id, std::string kind, boost::json::object spec, int max_queued);
  Result<Job> Get(const std::string& id);  // kNotFound "job_not_found"
  Result<std::vector<Job>> List(const Filter& filter, bool& has_more);
  Result<std::vector<Event>> Events(const std::string& id, int64_t after, int limit);

  // Queued: cancelled. Running: marked, so that it never succeeds. Paused: no longer. Errors: kFailedPrecondition
  // "job_finished".
  Result<Job> Cancel(const std::string& id, bool pause = false);
  // Errors: kFailedPrecondition, kResourceExhausted "queue_full".
  Result<Job> Resume(const std::string& id, int max_queued);

  // Takes up what a dead gateway left: running jobs are queued again, or cancelled where that had been asked.
  // Returns their ids.
  Result<std::vector<std::string>> Recover();
  // The ids of jobs waiting, the oldest first: of the kinds of the SQL list, such as "'a', 'b'", or of all others.
  enum class Of { kThese, kOthers };
  Result<std::vector<std::string>> Queued(int limit, Of of, const std::string& kinds);
  // A new attempt. Errors: kFailedPrecondition when the job waits no more.
  Result<Job> MarkStarted(const std::string& id);
  // A job that cannot be started at all. Errors: as MarkStarted.
  Status MarkFailed(const std::string& id, const Error& error);
  Status Append(const std::string& id, const Batch& batch);

  // Ends an attempt: events, the commit of a success and the change of state in one transaction. A commit that refuses
  // makes the job failed with its error. A job whose cancellation was asked for becomes cancelled, whatever else
  // happened. Errors: kAborted when the attempt is not the running one; else the catalogue's, with nothing changed.
  Status End(const Finish& finish, const Kind& kind);

 private:
  Status EndOnce(const Finish& finish, const Kind& kind, bool& refused);

  storage::Catalogue& catalogue_;
  Clock& clock_;
};

}  // namespace atelier::jobs

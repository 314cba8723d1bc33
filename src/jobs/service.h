// The durable queue, and the supervisor that runs it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "jobs/job.h"
#include "storage/catalogue.h"

namespace atelier::jobs {

std::span<const storage::Migration> Migrations();

struct Filter {
  std::string kind{};    // empty: all
  std::string parent{};  // only the children of this job; empty: all
  std::string state{};   // empty: all
  std::string after{};   // an id; empty: from the start
  int limit = 20;
  bool descending = true;
};

struct Limits {
  int running = 1;    // processes at once
  int queued = 1000;  // jobs waiting; more are refused with kResourceExhausted "queue_full"
  uint64_t memory_bytes =
      8ULL << 30U;  // resident, a job; beyond it the process is killed and the job fails with that cause
  int64_t time_ms = 24LL * 3600 * 1000;
  int threads = 0;  // ATELIER_THREADS for the process; 0: all cores
};

struct Options {
  std::filesystem::path data_dir;     // jobs live in data_dir/jobs/ID
  std::filesystem::path program_dir;  // where the programs are
  Limits limits;
};

// Thread-safe. Owns the children: they end with it.
class Service {
 public:
  // Starts the supervisor; jobs that were running when the last gateway died are queued again (and resume from their
  // checkpoint).
  static Result<std::unique_ptr<Service>> Start(storage::Catalogue& catalogue, Clock& clock, Rng& rng,
                                                std::vector<Kind> kinds, Options options);
  virtual ~Service() = default;

  // Durable when it returns. Errors: kInvalidArgument (unknown kind), kResourceExhausted.
  virtual Result<Job> Create(std::string kind, boost::json::object spec) = 0;
  virtual Result<Job> Get(const std::string& id) = 0;  // kNotFound "job_not_found"
  virtual Result<std::vector<Job>> List(const Filter& filter, bool& has_more) = 0;
  // Events with a sequence above `after`, at most `limit`.
  virtual Result<std::vector<Event>> Events(const std::string& id, int64_t after, int limit) = 0;
  // Queued: cancelled at once. Running: SIGTERM, after 5 s SIGKILL; one that consists of others, when all of these are.
  // Final: kFailedPrecondition "job_finished".
  virtual Result<Job> Cancel(const std::string& id) = 0;
  // The same, marked as `paused` until it is resumed, or cancelled for good.
  virtual Result<Job> Pause(const std::string& id) = 0;
  // Failed or cancelled: queued again, going on from its checkpoint, with its children. Otherwise kFailedPrecondition.
  virtual Result<Job> Resume(const std::string& id) = 0;
  // The last `max_bytes` of log.txt. Terminal control sequences are escaped.
  virtual Result<std::string> Log(const std::string& id, size_t max_bytes) = 0;
  // Calls `listener(job_id)` after each new durable event or change of state, from the supervisor's threads; it must
  // not block. It must not call Subscribe or Unsubscribe. Returns a token
  // for Unsubscribe, after which it is never called again.
  virtual uint64_t Subscribe(std::function<void(const std::string& job_id)> listener) = 0;
  virtual void Unsubscribe(uint64_t token) = 0;
  // Starts no more jobs, asks running ones to stop (they stay `running` in the catalogue and resume at the next start).
  virtual void Stop() = 0;
};

}  // namespace atelier::jobs

// One process working on a job, from its start to its last word.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "jobs/events.h"
#include "jobs/job.h"
#include "jobs/process.h"
#include "jobs/store.h"
#include "jobs/verdict.h"
#include "storage/files.h"

namespace atelier::jobs {

// Owns the process: destroyed, it is killed with its group. Used by the one thread that started it.
class Attempt {
 public:
  // Starts the job's process. `lock` is the folder's; the process holds it from now on. Errors: as StartProcess; the
  // job must then be failed.
  static Result<std::unique_ptr<Attempt>> Start(const Job& job, const Options& options,
                                                const std::filesystem::path& program, storage::FileDescriptor lock,
                                                Moment now);
  // An attempt whose process could not be started: exited, with that error.
  static std::unique_ptr<Attempt> Stillborn(const Job& job, const Error& error, Moment now);
  ~Attempt();
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  const std::string& job_id() const { return job_id_; }
  const std::string& kind() const { return kind_; }
  int event_fd() const { return reading() ? events_.get() : -1; }  // to poll for input; -1: not now
  int exit_fd() const { return exited_ ? -1 : pidfd_.get(); }      // readable when the process has ended; may be -1

  // Takes in what the process has written.
  void ReadEvents(Moment now);
  // Samples memory and time, trims the log, and kills when a deadline for stopping has passed.
  void Tick(Moment now, const Limits& limits);
  // Asks the group to stop; after a while it is killed. The first cause stays.
  void Stop(StopCause cause, Moment now);
  // Whether the process has ended; then its group is killed and its last words are read.
  bool Reap(Moment now);

  // What is due to be stored; forgets nothing before Stored.
  const Batch& Due(Moment now);
  void Stored() { batch_ = {}; }

  bool exited() const { return exited_; }
  // The whole story, once exited.
  Finish Ended(const Limits& limits);

 private:
  Attempt(const Job& job, std::filesystem::path log_path, Moment now);
  bool reading() const { return events_.valid() && batch_.events.size() < kMostUnsaved; }
  void Drain(size_t max_bytes, Moment now);
  void TrimLog();
  void Kill() const;

  static constexpr size_t kMostUnsaved = 4096;  // beyond, the process has to wait for the catalogue

  std::string job_id_;
  std::string kind_;
  int number_;
  std::filesystem::path log_path_;
  int64_t log_start_ = 0;
  int64_t started_ms_;
  pid_t pid_ = -1;
  storage::FileDescriptor log_;
  storage::FileDescriptor events_;
  storage::FileDescriptor pidfd_;
  GroupMemory memory_;
  EventStream stream_;
  Batch batch_;
  Ending ending_;
  int64_t kill_at_ms_ = -1;
  bool exited_ = false;
};

}  // namespace atelier::jobs

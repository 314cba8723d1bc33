// Runs the queue: one thread that starts the processes, listens to them and writes down what became of them.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "jobs/attempt.h"
#include "jobs/listeners.h"
#include "jobs/parents.h"
#include "jobs/service.h"
#include "jobs/store.h"
#include "storage/files.h"

namespace atelier::jobs {

// Thread-safe. All processes are started by its own thread, which lives until the last of them is gone: they are killed
// when the thread that forked them ends.
class Supervisor {
 public:
  struct Surroundings {
    Store& store;
    Clock& clock;
    Listeners& listeners;
    std::function<std::string()> new_id;  // for jobs that others create
  };
  Supervisor(Surroundings surroundings, std::map<std::string, Kind> kinds, Options options);
  ~Supervisor() { Stop(); }
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Begins. Errors: kInternal.
  Status Start();
  // A job's state was changed by somebody else: tells the listeners, and looks at the queue.
  void Changed(const std::string& id);
  void RequestCancel(const std::string& id);
  // Stops the processes and returns when they are gone. May be called again.
  void Stop();

 private:
  struct Inbox {
    std::vector<std::string> changed;
    std::vector<std::string> cancels;
    bool stop = false;
  };

  void Loop();
  void Wait();
  void TakeInbox();
  void StartQueued();
  void StartQueued(bool brief);
  size_t Places(bool brief) const;  // that are free for jobs of brief kinds, or for the others
  enum class Launched { kYes, kNo, kLater };
  Launched Launch(const std::string& id);
  Launched Launch(const Kind& kind, const Job& job);
  Launched LaunchParent(const std::string& id);
  void AdvanceParents();
  void StopAttempt(const std::string& id, StopCause cause);
  Launched Refuse(const std::string& id, const Error& error);
  Result<std::filesystem::path> Program(const Kind& kind, const Job& job) const;
  Result<storage::FileDescriptor> Lock(const std::string& id);
  void SaveEvents(Attempt& attempt);
  bool Settle(Attempt& attempt);
  void Wake();
  Moment Now() const;
  int Timeout() const;

  Store& store_;
  Clock& clock_;
  std::map<std::string, Kind> kinds_;
  std::string brief_kinds_;  // an SQL list; "''" where there is none
  Options options_;
  Listeners& listeners_;
  storage::FileDescriptor wake_;
  Guarded<Inbox> inbox_;
  std::mutex stop_mutex_;
  std::thread thread_;

  // Of the thread alone.
  std::vector<std::unique_ptr<Attempt>> attempts_;
  std::map<std::string, int64_t> retry_ms_;  // when the catalogue may be tried again, a job
  std::map<std::string, int64_t> saved_ms_;  // when its events were last stored
  std::set<std::string> warned_;             // of an old process that holds up a job
  Parents parents_;
  bool look_at_queue_ = true;
  bool look_at_parents_ = false;
  int64_t look_again_ms_ = -1;
  bool stopping_ = false;
};

}  // namespace atelier::jobs

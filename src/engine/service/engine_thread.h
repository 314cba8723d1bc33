// The thread that owns model and running requests, and the inbox through which others reach it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/guarded.h"
#include "engine/generation.h"
#include "engine/service/helpers.h"
#include "engine/service/pooling_jobs.h"
#include "engine/service/scheduler.h"
#include "engine/service/task.h"

namespace atelier::engine {

// Thread-safe.
class EngineThread {
 public:
  struct Limits {
    ScheduleLimits schedule{};
    int32_t max_queue = 256;
  };

  EngineThread(const SchedulerParts& parts, const Limits& limits);
  // Ends what is under way with kUnavailable.
  ~EngineThread();
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  // A place in the queue, for a request that Put will bring. Errors: kResourceExhausted "queue_full", kUnavailable
  // "draining".
  Status TakePlace();
  void LeavePlaces(size_t places);
  // A task that is prepared or refused; it leaves its place when it is admitted or ended.
  void Put(std::unique_ptr<Task> task);
  // Its `done` leaves its place.
  void Put(std::unique_ptr<PoolingJob> job);
  // Something to be said on the engine thread.
  void Tell(std::function<void()> word);
  void Drain(std::function<void()> drained);
  const std::shared_ptr<Doorbell>& bell() const { return bell_; }
  Generator::Stats stats() const;

 private:
  struct Inbox {
    std::vector<std::unique_ptr<Task>> tasks;
    std::vector<std::unique_ptr<PoolingJob>> jobs;
    std::vector<std::function<void()>> words;
    std::vector<std::function<void()>> drained;
    int64_t waiting = 0;  // requests that have a place in the queue
    bool draining = false;
  };

  void Run();
  void Receive();
  void CallDrained();
  void Note();
  void EndAll();
  void Refuse(Task& task, Error error);
  bool idle() const { return scheduler_.idle() && pooling_.idle(); }

  SchedulerParts parts_;
  const Limits limits_;
  Scheduler scheduler_;
  PoolingJobs pooling_;
  Guarded<Inbox> inbox_;
  Guarded<Generator::Stats> stats_;
  std::shared_ptr<Doorbell> bell_ = std::make_shared<Doorbell>();  // shared with the functions that cancel
  std::atomic<bool> stop_{false};
  std::jthread thread_;
};

}  // namespace atelier::engine

// One version of one deployment, kept running: observes its process, lets Decide decide, and acts.
#pragma once

#include <sys/types.h>

#include <future>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "serving/deployments.h"
#include "serving/endpoint.h"
#include "serving/launcher.h"
#include "serving/spawn.h"
#include "serving/supervision.h"
#include "serving/worker_adapters.h"

namespace atelier::serving {

// What all workers of a manager share. Borrowed by them.
struct Supervision {
  Clock& clock;
  Launcher& launcher;
  SocketFolder& sockets;
  SeededRng rng;  // of ids and jitter
  SupervisionLimits limits;
  int64_t probe_every_ms = 500;
  Metrics* metrics = nullptr;
};

// Not thread-safe. Must be gone, or killed, before it is destroyed.
class SupervisedWorker {
 public:
  SupervisedWorker(WorkerSpec spec, Supervision& shared) : spec_(std::move(spec)), shared_(shared) {}

  // One look and at most one action, neither of which blocks. True when what routes may use has changed.
  bool Tick();
  void WantAdapters(std::vector<WishedAdapter> adapters) { adapters_.Want(std::move(adapters)); }
  // From now on it is taken out of service, drained and ended.
  void Unwant() { wanted_ = false; }
  // Kills the process and waits for its end.
  void KillNow();

  const WorkerSpec& spec() const { return spec_; }
  bool gone() const { return gone_; }
  bool ready() const { return phase_ == Phase::kReady && adapters_.met(); }
  bool steady() const { return ready() && wanted_ && !endpoint_->suspect() && adapters_.settled(); }
  std::shared_ptr<const Lease> lease() const { return lease_; }                    // nullptr unless ready
  std::shared_ptr<const Signature> signature() const { return known_.signature; }  // nullptr until it was ready once
  WorkerStatus Status(int weight) const;
  std::vector<AdapterStatus> Adapters() const { return adapters_.Status(endpoint_.get()); }

 private:
  void Observe();
  WorkerSnapshot Snapshot() const;
  bool Apply(Action action);
  void Launch();
  void BecomeReady();
  void Kill();
  void Restart();
  void Probe();
  void Enter(Phase phase);
  std::string Cause() const;

  WorkerSpec spec_;
  Supervision& shared_;
  WorkerAdapters adapters_;
  Phase phase_ = Phase::kWaiting;
  bool wanted_ = true;
  bool gone_ = false;
  int64_t now_ms_ = 0;
  int64_t phase_since_ms_ = 0;
  int64_t start_at_ms_ = 0;
  int64_t next_probe_ms_ = 0;
  // The current process.
  std::future<Result<pid_t>> launch_;
  std::string socket_path_;
  pid_t pid_ = 0;
  std::shared_ptr<Endpoint> endpoint_;
  std::shared_ptr<const Lease> lease_;
  std::weak_ptr<const Lease> leased_;
  Endpoint::Known known_;
  uint64_t counted_steps_ = 0;
  std::optional<std::string> exit_;  // how it ended
  std::string kill_reason_;          // why we killed it
  std::optional<int64_t> ready_since_ms_;
  // Over all processes.
  int failures_ = 0;  // in a row
  int restarts_ = 0;
  bool failed_ = false;  // the last process ended before it was ready
  std::string error_;
  std::shared_ptr<const ModelMetrics> metrics_;
  std::shared_ptr<const GenerationMetrics> generation_metrics_;
};

}  // namespace atelier::serving

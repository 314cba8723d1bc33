#include "serving/supervised_worker.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "base/ids.h"
#include "base/log.h"
#include "serving/programs.h"

namespace atelier::serving {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kLoadProbeMs = 50;  // a fresh worker is asked more often, so that it serves as soon as it can

}  // namespace

bool SupervisedWorker::Tick() {
  now_ms_ = shared_.clock.MonotonicNs() / kNsPerMs;
  Observe();
  const bool was_usable = lease_ && lease_->usable();
  const bool changed = Apply(Decide(Snapshot(), shared_.limits));
  if (phase_ == Phase::kReady) {
    adapters_.Tick(shared_.launcher, *endpoint_);
  }
  Probe();
  return changed || was_usable != (lease_ && lease_->usable());
}

void SupervisedWorker::Observe() {
  if (phase_ == Phase::kLaunching && launch_.valid() &&
      launch_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
    Result<pid_t> pid = launch_.get();
    if (pid.ok()) {
      pid_ = *pid;
      Enter(Phase::kLoading);
    } else {
      exit_ = pid.error().message;
    }
  }
  if (pid_ > 0) {
    if (auto how = Reap(pid_)) {
      exit_ = "the worker ended with " + *how;
      pid_ = 0;
    }
  }
  if (endpoint_) {
    auto signature = std::move(known_.signature);
    known_ = endpoint_->known();
    if (known_.signature == nullptr) {
      known_.signature = std::move(signature);
    }
    if (metrics_ && known_.health.steps > counted_steps_) {
      metrics_->Executed(known_.health.steps - std::exchange(counted_steps_, known_.health.steps));
    }
    if (generation_metrics_) {
      generation_metrics_->Observe(known_.health);
    }
  }
}

WorkerSnapshot SupervisedWorker::Snapshot() const {
  WorkerSnapshot out;
  out.phase = phase_;
  out.wanted = wanted_;
  out.exited = exit_.has_value();
  // known_ keeps the signature of a former process; a lease needs this one's.
  out.described = endpoint_ && endpoint_->known().signature != nullptr;
  out.leased = !leased_.expired();
  out.drained = known_.drained;
  out.has_work = known_.health.queued + known_.health.running > 0;
  out.now_ms = now_ms_;
  out.phase_since_ms = phase_since_ms_;
  out.start_at_ms = start_at_ms_;
  out.last_answer_ms = known_.last_answer_ms;
  out.last_progress_ms = known_.last_progress_ms;
  return out;
}

bool SupervisedWorker::Apply(Action action) {
  switch (action) {
    case Action::kNone:
      return false;
    case Action::kLaunch:
      Launch();
      return false;
    case Action::kBecomeReady:
      BecomeReady();
      return true;
    case Action::kRetire:
      lease_.reset();
      Enter(Phase::kRetiring);
      return true;
    case Action::kDrain:
      endpoint_->Drain(shared_.limits.drain_ms);
      Enter(Phase::kDraining);
      return false;
    case Action::kTerminate:
      kill(pid_, SIGTERM);
      Enter(Phase::kTerminating);
      return false;
    case Action::kKill:
      Kill();
      return true;
    case Action::kRestart:
      Restart();
      return true;
    case Action::kForget:
      unlink(socket_path_.c_str());
      gone_ = true;
      return true;
  }
  return false;
}

void SupervisedWorker::Launch() {
  socket_path_ = shared_.sockets.PathOf(NewId("", shared_.rng).substr(0, 12));
  endpoint_ = std::make_shared<Endpoint>(socket_path_);
  adapters_.Reset();
  exit_.reset();
  kill_reason_.clear();
  ready_since_ms_.reset();
  counted_steps_ = 0;
  launch_ = shared_.launcher.Launch(spec_, socket_path_);
  Enter(Phase::kLaunching);
}

void SupervisedWorker::BecomeReady() {
  if (!metrics_) {
    metrics_ = std::make_shared<const ModelMetrics>(shared_.metrics, spec_.deployment, spec_.model.version);
  }
  if (!generation_metrics_ && shared_.metrics != nullptr && known_.signature->generative) {
    generation_metrics_ =
        std::make_shared<const GenerationMetrics>(*shared_.metrics, spec_.deployment, spec_.model.version);
  }
  auto lease = std::make_shared<Lease>();
  lease->endpoint = endpoint_;
  lease->deployment = spec_.deployment;
  lease->model_name = spec_.model.model_name;
  lease->version = spec_.model.version;
  lease->signature = known_.signature;
  lease->metrics = metrics_;
  lease->generation_metrics = generation_metrics_;
  lease->max_under_way = ProgramOf(spec_.model).max_under_way(spec_);
  leased_ = lease;
  lease_ = std::move(lease);
  failed_ = false;
  ready_since_ms_ = now_ms_;
  next_probe_ms_ = now_ms_ + shared_.probe_every_ms;
  Enter(Phase::kReady);
  LogInfo("a model version is ready", {{"deployment", std::string_view(spec_.deployment)},
                                       {"version", spec_.model.version},
                                       {"pid", static_cast<int64_t>(pid_)}});
}

void SupervisedWorker::Kill() {
  if (wanted_) {
    const int64_t seconds = (phase_ == Phase::kLoading ? shared_.limits.load_ms : shared_.limits.stuck_after_ms) / 1000;
    kill_reason_ = std::string(phase_ == Phase::kLoading ? "the worker did not finish loading within "
                                                         : "the worker made no progress for ") +
                   std::to_string(seconds) + " s and was killed";
  }
  lease_.reset();
  kill(-pid_, SIGKILL);  // its whole process group
  Enter(Phase::kKilled);
}

std::string SupervisedWorker::Cause() const {
  if (!kill_reason_.empty()) {
    return kill_reason_;
  }
  const std::string cause = exit_.value_or("the worker ended");
  if (phase_ == Phase::kLaunching) {
    return cause;  // nothing ran that could have written a line
  }
  const std::string line = LastLogLine(LogOf(shared_.launcher.options().data_dir, spec_));
  return line.empty() ? cause : cause + ": " + line;
}

void SupervisedWorker::Restart() {
  error_ = Cause();
  failed_ = !ready_since_ms_;
  if (ready_since_ms_ && now_ms_ - *ready_since_ms_ >= shared_.limits.longest_back_off_ms) {
    failures_ = 0;
  }
  ++failures_;
  ++restarts_;
  lease_.reset();
  endpoint_.reset();
  const auto signature = known_.signature;
  known_ = {};
  known_.signature = signature;
  if (generation_metrics_) {
    generation_metrics_->Observe({});
  }
  exit_.reset();
  unlink(socket_path_.c_str());
  const int64_t wait_ms = BackOffMs(failures_, shared_.rng.Uniform(), shared_.limits);
  start_at_ms_ = now_ms_ + wait_ms;
  Enter(Phase::kWaiting);
  LogWarning("a worker ended and is restarted", {{"deployment", std::string_view(spec_.deployment)},
                                                 {"version", spec_.model.version},
                                                 {"cause", std::string_view(error_)},
                                                 {"restarts", static_cast<int64_t>(restarts_)},
                                                 {"wait_ms", wait_ms}});
}

void SupervisedWorker::Probe() {
  if (!endpoint_ || now_ms_ < next_probe_ms_) {
    return;
  }
  if (phase_ == Phase::kLoading) {
    endpoint_->ProbeSignature(now_ms_);
    next_probe_ms_ = now_ms_ + kLoadProbeMs;
  } else if (phase_ == Phase::kReady) {
    endpoint_->ProbeHealth(now_ms_);
    next_probe_ms_ = now_ms_ + (endpoint_->suspect() ? kLoadProbeMs : shared_.probe_every_ms);
  }
}

void SupervisedWorker::Enter(Phase phase) {
  phase_ = phase;
  phase_since_ms_ = now_ms_;
}

void SupervisedWorker::KillNow() {
  if (phase_ == Phase::kLaunching && launch_.valid()) {
    if (Result<pid_t> pid = launch_.get(); pid.ok()) {
      pid_ = *pid;
    }
  }
  if (pid_ > 0) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  unlink(socket_path_.c_str());
  gone_ = true;
}

WorkerStatus SupervisedWorker::Status(int weight) const {
  WorkerStatus out;
  out.version = spec_.model.version;
  out.weight = weight;
  out.state = wanted_ ? StateOf(phase_, failed_) : WorkerState::kStopping;
  out.restarts = restarts_;
  out.error = error_;
  out.pid = pid_;
  out.resident_bytes = pid_ > 0 ? known_.health.resident_bytes : 0;
  out.queued = known_.health.queued;
  return out;
}

}  // namespace atelier::serving

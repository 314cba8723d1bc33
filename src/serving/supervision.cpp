#include "serving/supervision.h"

#include <algorithm>
#include <cmath>

namespace atelier::serving {
namespace {

Action DecideWanted(const WorkerSnapshot& snapshot, const SupervisionLimits& limits) {
  switch (snapshot.phase) {
    case Phase::kWaiting:
      return snapshot.now_ms >= snapshot.start_at_ms ? Action::kLaunch : Action::kNone;
    case Phase::kLoading:
      if (snapshot.described) {
        return Action::kBecomeReady;
      }
      return snapshot.now_ms - snapshot.phase_since_ms >= limits.load_ms ? Action::kKill : Action::kNone;
    case Phase::kReady:
      return IsStuck(snapshot, limits) ? Action::kKill : Action::kNone;
    default:
      return Action::kNone;
  }
}

Action DecideUnwanted(const WorkerSnapshot& snapshot, const SupervisionLimits& limits) {
  const int64_t elapsed_ms = snapshot.now_ms - snapshot.phase_since_ms;
  switch (snapshot.phase) {
    case Phase::kWaiting:
      return Action::kForget;
    case Phase::kLoading:
      return Action::kTerminate;
    case Phase::kReady:
      return Action::kRetire;
    case Phase::kRetiring:
      return !snapshot.leased || elapsed_ms >= limits.drain_ms ? Action::kDrain : Action::kNone;
    case Phase::kDraining:
      return snapshot.drained || elapsed_ms >= limits.drain_ms ? Action::kTerminate : Action::kNone;
    case Phase::kTerminating:
      return elapsed_ms >= limits.terminate_ms ? Action::kKill : Action::kNone;
    case Phase::kLaunching:
    case Phase::kKilled:
      return Action::kNone;
  }
  return Action::kNone;
}

}  // namespace

bool IsStuck(const WorkerSnapshot& snapshot, const SupervisionLimits& limits) {
  const bool silent = snapshot.now_ms - snapshot.last_answer_ms >= limits.stuck_after_ms;
  const bool idle_with_work = snapshot.has_work && snapshot.now_ms - snapshot.last_progress_ms >= limits.stuck_after_ms;
  return silent || idle_with_work;
}

Action Decide(const WorkerSnapshot& snapshot, const SupervisionLimits& limits) {
  if (snapshot.exited) {
    if (snapshot.wanted) {
      return Action::kRestart;
    }
    if (snapshot.phase == Phase::kReady) {
      return Action::kRetire;
    }
    return snapshot.leased ? Action::kNone : Action::kForget;
  }
  return snapshot.wanted ? DecideWanted(snapshot, limits) : DecideUnwanted(snapshot, limits);
}

int64_t BackOffMs(int failures, double jitter, const SupervisionLimits& limits) {
  const int doublings = std::clamp(failures - 1, 0, 30);
  const double wait_ms = std::min(static_cast<double>(limits.first_back_off_ms) * std::pow(2.0, doublings),
                                  static_cast<double>(limits.longest_back_off_ms));
  const auto spread_ms = static_cast<int64_t>(wait_ms * (0.75 + 0.5 * jitter));
  return std::min(spread_ms, limits.longest_back_off_ms);
}

WorkerState StateOf(Phase phase, bool failed) {
  switch (phase) {
    case Phase::kWaiting:
    case Phase::kLaunching:
    case Phase::kLoading:
      return failed ? WorkerState::kFailed : WorkerState::kStarting;
    case Phase::kReady:
      return WorkerState::kReady;
    case Phase::kKilled:  // of a wanted worker; one that is not wanted is stopping
      return WorkerState::kFailed;
    case Phase::kRetiring:
    case Phase::kDraining:
    case Phase::kTerminating:
      break;
  }
  return WorkerState::kStopping;
}

}  // namespace atelier::serving

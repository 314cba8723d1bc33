// What to do with one worker process next: a pure function from a snapshot to an action.
#pragma once

#include <cstdint>

#include "serving/deployments.h"

namespace atelier::serving {

enum class Phase {
  kWaiting,      // no process; the next start is at start_at_ms
  kLaunching,    // the model folder is laid out, the process forked
  kLoading,      // the process runs and does not answer yet
  kReady,        // takes requests
  kRetiring,     // no route leads here any more; requests picked earlier are under way
  kDraining,     // asked to finish and refuse
  kTerminating,  // got SIGTERM
  kKilled,       // got SIGKILL
};

enum class Action {
  kNone,
  kLaunch,       // -> kLaunching
  kBecomeReady,  // -> kReady
  kRetire,       // -> kRetiring
  kDrain,        // -> kDraining
  kTerminate,    // -> kTerminating
  kKill,         // -> kKilled
  kRestart,      // the process ended though it is wanted -> kWaiting with a back-off
  kForget,       // nothing is left of it
};

struct WorkerSnapshot {
  Phase phase = Phase::kWaiting;
  bool wanted = true;
  bool exited = false;     // the process has ended, or could not be started
  bool described = false;  // Describe has answered
  bool leased = false;     // a route or a request holds it
  bool drained = false;    // Drain has answered
  bool has_work = false;   // instances wait or are computed
  int64_t now_ms = 0;
  int64_t phase_since_ms = 0;
  int64_t start_at_ms = 0;
  int64_t last_answer_ms = 0;    // of a probe
  int64_t last_progress_ms = 0;  // when steps last grew, or there was no work
};

struct SupervisionLimits {
  int64_t stuck_after_ms = 30000;
  int64_t drain_ms = 30000;
  int64_t load_ms = 600000;         // a worker that loads for longer is killed and restarted
  int64_t terminate_ms = 2000;      // from SIGTERM to SIGKILL
  int64_t first_back_off_ms = 200;  // doubles with each failure in a row
  int64_t longest_back_off_ms = 30000;
};

Action Decide(const WorkerSnapshot& snapshot, const SupervisionLimits& limits);

// Whether it has work and does not get on with it, or does not answer at all.
bool IsStuck(const WorkerSnapshot& snapshot, const SupervisionLimits& limits);

// The wait before the next start after `failures` (>= 1) in a row; `jitter` in [0, 1) spreads it by a quarter either
// way.
int64_t BackOffMs(int failures, double jitter, const SupervisionLimits& limits);

// How a person sees it. `failed`: the last start ended before the worker was ready.
WorkerState StateOf(Phase phase, bool failed);

}  // namespace atelier::serving

#include "serving/supervision.h"

#include <gtest/gtest.h>

namespace atelier::serving {
namespace {

const SupervisionLimits kLimits{.stuck_after_ms = 1000, .drain_ms = 500, .load_ms = 5000, .terminate_ms = 200};

WorkerSnapshot At(Phase phase, int64_t now_ms) {
  WorkerSnapshot out;
  out.phase = phase;
  out.now_ms = now_ms;
  out.last_answer_ms = now_ms;
  out.last_progress_ms = now_ms;
  return out;
}

TEST(Supervision, StartsWhenTheBackOffIsOver) {
  WorkerSnapshot snapshot = At(Phase::kWaiting, 99);
  snapshot.start_at_ms = 100;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kNone);
  snapshot.now_ms = 100;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kLaunch);
  snapshot.wanted = false;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kForget);
}

TEST(Supervision, LoadsUntilItAnswersOrForTooLong) {
  WorkerSnapshot snapshot = At(Phase::kLoading, 4999);
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kNone);
  snapshot.now_ms = 5000;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kKill);
  snapshot.described = true;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kBecomeReady);
  snapshot.wanted = false;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kTerminate);
}

TEST(Supervision, KillsWhatIsStuck) {
  WorkerSnapshot snapshot = At(Phase::kReady, 10000);
  snapshot.last_progress_ms = 9000;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kNone) << "idle is not stuck";
  snapshot.has_work = true;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kKill);
  snapshot.last_progress_ms = 9001;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kNone);
  snapshot.has_work = false;
  snapshot.last_answer_ms = 9000;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kKill) << "silent is stuck";
}

TEST(Supervision, RestartsWhatEnded) {
  for (const Phase phase : {Phase::kLaunching, Phase::kLoading, Phase::kReady, Phase::kKilled}) {
    WorkerSnapshot snapshot = At(phase, 0);
    snapshot.exited = true;
    EXPECT_EQ(Decide(snapshot, kLimits), Action::kRestart);
  }
}

TEST(Supervision, TakesAWorkerOutStepByStep) {
  WorkerSnapshot snapshot = At(Phase::kReady, 0);
  snapshot.wanted = false;
  snapshot.leased = true;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kRetire);
  snapshot.phase = Phase::kRetiring;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kNone) << "requests are under way";
  snapshot.now_ms = 500;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kDrain) << "they had their time";
  snapshot.now_ms = 1;
  snapshot.leased = false;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kDrain);
  snapshot.phase = Phase::kDraining;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kNone);
  snapshot.drained = true;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kTerminate);
  snapshot.phase = Phase::kTerminating;
  snapshot.now_ms = 199;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kNone);
  snapshot.now_ms = 200;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kKill);
  snapshot.phase = Phase::kKilled;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kNone);
  snapshot.exited = true;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kForget);
}

TEST(Supervision, AnUnwantedWorkerThatCrashesIsLetGoWithItsLastRequest) {
  WorkerSnapshot snapshot = At(Phase::kReady, 0);
  snapshot.wanted = false;
  snapshot.exited = true;
  snapshot.leased = true;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kRetire);
  snapshot.phase = Phase::kRetiring;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kNone);
  snapshot.leased = false;
  EXPECT_EQ(Decide(snapshot, kLimits), Action::kForget);
}

TEST(Supervision, BacksOffExponentiallyWithinItsLimits) {
  const SupervisionLimits limits;
  EXPECT_EQ(BackOffMs(1, 0.5, limits), 200);
  EXPECT_EQ(BackOffMs(2, 0.5, limits), 400);
  EXPECT_EQ(BackOffMs(5, 0.5, limits), 3200);
  EXPECT_EQ(BackOffMs(9, 0.5, limits), 30000);
  EXPECT_EQ(BackOffMs(1000, 0.999, limits), 30000);
  EXPECT_EQ(BackOffMs(1, 0, limits), 150);
  EXPECT_LT(BackOffMs(1, 0.999, limits), 250);
}

TEST(Supervision, NamesStates) {
  EXPECT_EQ(Name(StateOf(Phase::kLoading, false)), "loading");
  EXPECT_EQ(Name(StateOf(Phase::kWaiting, true)), "failed");
  EXPECT_EQ(Name(StateOf(Phase::kReady, false)), "ready");
  EXPECT_EQ(Name(StateOf(Phase::kDraining, false)), "stopping");
}

}  // namespace
}  // namespace atelier::serving

#include "jobs/states.h"

#include <gtest/gtest.h>

#include <map>

namespace atelier::jobs {
namespace {

constexpr std::array kStates{State::kQueued, State::kRunning, State::kSucceeded, State::kFailed, State::kCancelled};
constexpr std::array kTriggers{Trigger::kStart, Trigger::kRecover, Trigger::kSucceed,
                               Trigger::kFail,  Trigger::kCancel,  Trigger::kResume};

// Written out by hand, a row per state, a column per trigger: start recover succeed fail cancel resume.
constexpr std::array<std::array<const char*, 6>, 5> kExpected{{
    {"running", "", "", "failed", "cancelled", ""},
    {"", "queued", "succeeded", "failed", "cancelled", ""},
    {"", "", "", "", "", ""},
    {"", "", "", "", "", "queued"},
    {"", "", "", "", "", "queued"},
}};

TEST(States, EveryTransitionIsLegalOrRefused) {
  for (size_t s = 0; s < kStates.size(); ++s) {
    for (size_t t = 0; t < kTriggers.size(); ++t) {
      const auto next = NextState(kStates[s], kTriggers[t]);
      const std::string expected = kExpected[s][t];
      ASSERT_EQ(next.ok(), !expected.empty()) << Name(kStates[s]) << " trigger " << t;
      if (next.ok()) {
        EXPECT_EQ(Name(*next), expected);
      } else {
        EXPECT_EQ(next.error().code, Code::kFailedPrecondition);
        EXPECT_EQ(next.error().reason,
                  IsFinal(kStates[s]) && !(kTriggers[t] == Trigger::kResume && kStates[s] != State::kSucceeded)
                      ? "job_finished"
                      : "job_not_finished");
      }
    }
  }
}

TEST(States, NamesGoBothWays) {
  for (const State state : kStates) {
    ASSERT_TRUE(StateFromName(Name(state)).ok());
    EXPECT_EQ(*StateFromName(Name(state)), state);
  }
  EXPECT_EQ(StateFromName("Running").error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace atelier::jobs

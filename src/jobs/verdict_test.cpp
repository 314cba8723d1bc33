#include "jobs/verdict.h"

#include <gtest/gtest.h>

#include <csignal>

namespace atelier::jobs {
namespace {

int Exit(int status) { return status << 8; }  // as waitpid reports it on Linux

TEST(Verdict, SuccessNeedsAResultAndExitZero) {
  EXPECT_EQ(Judge({.wait_status = Exit(0), .has_result = true}, {}).state, State::kSucceeded);
  const Verdict silent = Judge({.wait_status = Exit(0)}, {});
  EXPECT_EQ(silent.state, State::kFailed);
  EXPECT_EQ(silent.error.message, "the process ended without a result");
  const Verdict late = Judge({.wait_status = Exit(3), .has_result = true}, {});
  EXPECT_EQ(late.state, State::kFailed);
  EXPECT_EQ(late.error.message, "exit status 3 after the result");
}

TEST(Verdict, AReportedErrorIsTheCause) {
  const Verdict verdict = Judge({.wait_status = Exit(1), .reported = InvalidArgument("no such column", "target")}, {});
  EXPECT_EQ(verdict.state, State::kFailed);
  EXPECT_EQ(verdict.error.code, Code::kInvalidArgument);
  EXPECT_EQ(verdict.error.param, "target");
}

TEST(Verdict, CausesAreNamed) {
  Limits limits;
  limits.memory_bytes = 8ULL << 30U;
  limits.time_ms = 24LL * 3600 * 1000;
  const uint64_t used = (8ULL << 30U) + (205ULL << 20U);
  EXPECT_EQ(Judge({.cause = StopCause::kMemory, .wait_status = SIGKILL, .resident_bytes = used}, limits).error.message,
            "killed: used 8.2 GiB, the limit is 8 GiB");
  EXPECT_EQ(Judge({.cause = StopCause::kTime, .wait_status = SIGTERM}, limits).error.message,
            "time limit of 24 h reached");
  EXPECT_EQ(Judge({.wait_status = SIGSEGV}, limits).error.message, "the process was ended by signal 11 (SIGSEGV)");
  EXPECT_EQ(Judge({.wait_status = Exit(1), .last_log_line = "boom"}, limits).error.message,
            "exit status 1 without an error report; last log line: boom");
}

TEST(Verdict, CancelWinsAndShutdownKeepsTheJob) {
  EXPECT_EQ(Judge({.cause = StopCause::kCancel, .wait_status = Exit(0), .has_result = true}, {}).state,
            State::kCancelled);
  EXPECT_EQ(Judge({.cause = StopCause::kShutdown, .wait_status = Exit(2)}, {}).state, State::kRunning);
  EXPECT_EQ(Judge({.cause = StopCause::kShutdown, .wait_status = Exit(0), .has_result = true}, {}).state,
            State::kSucceeded);
  EXPECT_EQ(Judge({.cause = StopCause::kShutdown, .wait_status = Exit(1), .reported = Internal("bug")}, {}).state,
            State::kFailed);
}

TEST(Verdict, LimitsAreInclusiveOfTheirValue) {
  Limits limits;
  limits.memory_bytes = 1000;
  limits.time_ms = 50;
  EXPECT_EQ(CheckLimits(1000, 49, limits), StopCause::kNone);
  EXPECT_EQ(CheckLimits(1001, 49, limits), StopCause::kMemory);
  EXPECT_EQ(CheckLimits(1000, 50, limits), StopCause::kTime);
}

TEST(Verdict, QuantitiesReadWell) {
  EXPECT_EQ(FormatBytes(17), "17 bytes");
  EXPECT_EQ(FormatBytes(1024), "1 KiB");
  EXPECT_EQ(FormatBytes(512ULL << 20U), "512 MiB");
  EXPECT_EQ(FormatBytes((1ULL << 30U) - 1), "1 GiB");
  EXPECT_EQ(FormatDuration(300), "0.3 s");
  EXPECT_EQ(FormatDuration(90'000), "1.5 min");
  EXPECT_EQ(FormatDuration(5'400'000), "1.5 h");
}

}  // namespace
}  // namespace atelier::jobs

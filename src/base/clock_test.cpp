#include "base/clock.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/guarded.h"

namespace atelier {
namespace {

TEST(Clock, TheManualOneMovesByHand) {
  ManualClock clock(1000);
  EXPECT_EQ(clock.UnixMs(), 1000);
  const int64_t before = clock.MonotonicNs();
  clock.AdvanceMs(250);
  EXPECT_EQ(clock.UnixMs(), 1250);
  EXPECT_EQ(clock.MonotonicNs() - before, 250'000'000);
}

TEST(Clock, TheSystemsNeverGoesBack) {
  const SystemClock clock;
  int64_t last = clock.MonotonicNs();
  for (int i = 0; i < 1000; ++i) {
    const int64_t now = clock.MonotonicNs();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GT(clock.UnixMs(), 1'600'000'000'000);
}

TEST(Guarded, CountsFromManyThreads) {
  Guarded<int> count(0);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 1000; ++j) {
          count.With([](int& value) { ++value; });
        }
      });
    }
  }
  EXPECT_EQ(std::as_const(count).With([](const int& value) { return value; }), 4000);
}

}  // namespace
}  // namespace atelier

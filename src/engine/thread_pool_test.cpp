#include "engine/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>

#include "base/processors.h"

namespace atelier::engine {
namespace {

TEST(ThreadPool, RunsEveryIndexOnceInEveryLoop) {
  for (const size_t threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    std::vector<std::atomic<int>> runs(97);
    for (int loop = 1; loop <= 500; ++loop) {
      pool.ForEach(runs.size(), [&](size_t index, size_t thread) {
        EXPECT_LT(thread, threads);
        ++runs[index];
      });
      for (const auto& count : runs) {
        ASSERT_EQ(count.load(), loop);
      }
      if (loop % 100 == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));  // until the workers sleep
      }
    }
    pool.ForEach(0, [](size_t, size_t) { FAIL(); });
  }
}

TEST(ThreadPool, AThreadWithoutWorkTakesWhatIsLeftOfAnothersPart) {
  ThreadPool pool(2);
  std::atomic<size_t> done{0};
  std::vector<size_t> by(10);
  pool.ForEach(by.size(), [&](size_t index, size_t thread) {
    while (index == 0 && done.load() < by.size() - 1) {  // the others must do the rest
      std::this_thread::yield();
    }
    by[index] = thread;
    ++done;
  });
  EXPECT_EQ(std::ranges::count(by, by[0]), 1);
}

// The processors that each thread of such a pool may run on.
std::vector<std::vector<int>> PlacesOf(size_t threads) {
  ThreadPool pool(threads);
  std::vector<std::vector<int>> places(threads);
  std::atomic<size_t> here{0};
  pool.ForEach(threads, [&](size_t, size_t thread) {
    places[thread] = AllowedProcessors();
    for (++here; here.load() < threads;) {  // until each thread has one index
      std::this_thread::yield();
    }
  });
  return places;
}

TEST(ThreadPool, PinsThreadsWhereThereAreAsManyAsProcessors) {
  const auto allowed = AllowedProcessors();
  const size_t threads = allowed.size();
  if (threads < 2 || UsableProcessors() != threads) {
    GTEST_SKIP() << "needs two processors without a quota";
  }
  const auto places = PlacesOf(threads);
  EXPECT_EQ(places[0], allowed);
  std::set<int> taken;
  for (size_t thread = 1; thread < threads; ++thread) {
    ASSERT_EQ(places[thread].size(), 1U);
    taken.insert(places[thread][0]);
  }
  EXPECT_EQ(taken.size(), threads - 1);
  for (const auto& place : PlacesOf(threads + 1)) {
    EXPECT_EQ(place, allowed);
  }
}

}  // namespace
}  // namespace atelier::engine

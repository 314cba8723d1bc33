#include "engine/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>

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

}  // namespace
}  // namespace atelier::engine

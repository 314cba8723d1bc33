#include "base/processors.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>

namespace atelier {
namespace {

TEST(Processors, AreThoseOfTheAffinity) {
  EXPECT_GE(UsableProcessors(), 1U);
  size_t with_one = 0;
  std::thread([&] {
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
    int first = 0;
    while (!CPU_ISSET(first, &allowed)) {
      ++first;
    }
    CPU_ZERO(&allowed);
    CPU_SET(first, &allowed);
    ASSERT_EQ(sched_setaffinity(0, sizeof(allowed), &allowed), 0);
    with_one = UsableProcessors();
  }).join();
  EXPECT_EQ(with_one, 1U);
}

TEST(Processors, AreNoMoreThanTheLeastQuotaAllows) {
  const auto root = std::filesystem::temp_directory_path() / ("processors-test-" + std::to_string(getpid()));
  std::filesystem::create_directories(root / "a" / "b");
  const auto put = [&](const std::string& group, const std::string& text) {
    std::ofstream(root / group / "cpu.max") << text;
  };
  EXPECT_EQ(ProcessorQuota(root, "a/b"), 0U);
  put("", "max 100000\n");
  put("a", "350000 100000\n");
  EXPECT_EQ(ProcessorQuota(root, "a/b"), 3U);
  put("a/b", "50000 100000\n");
  EXPECT_EQ(ProcessorQuota(root, "a/b"), 1U);
  put("a/b", "900000 100000\n");
  EXPECT_EQ(ProcessorQuota(root, "a/b"), 3U);
  put("a", "nonsense\n");
  EXPECT_EQ(ProcessorQuota(root, "a/b"), 9U);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace atelier

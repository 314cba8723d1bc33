#include "base/processors.h"

#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <string>
#include <thread>

namespace atelier {
namespace {

constexpr const char* kMount = "/sys/fs/cgroup";

// "200000 100000": two processors' time; "max 100000": no quota.
size_t QuotaOf(const std::filesystem::path& file) {
  std::ifstream stream(file);
  int64_t quota = 0;
  int64_t period = 0;
  if (!(stream >> quota >> period) || quota <= 0 || period <= 0) {
    return 0;
  }
  return static_cast<size_t>(std::max<int64_t>(1, quota / period));
}

size_t OwnQuota() {
  std::ifstream stream("/proc/self/cgroup");
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("0::/")) {
      return ProcessorQuota(kMount, line.substr(4));
    }
  }
  return 0;
}

}  // namespace

size_t ProcessorQuota(const std::filesystem::path& root, const std::filesystem::path& path) {
  size_t least = QuotaOf(root / "cpu.max");
  std::filesystem::path group = root;
  for (const auto& name : path) {
    group /= name;
    const size_t quota = QuotaOf(group / "cpu.max");
    least = least == 0 || (quota != 0 && quota < least) ? quota : least;
  }
  return least;
}

std::vector<int> AllowedProcessors() {
  cpu_set_t allowed;
  std::vector<int> numbers;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
    for (int number = 0; number < CPU_SETSIZE; ++number) {
      if (CPU_ISSET(number, &allowed)) {
        numbers.push_back(number);
      }
    }
  }
  return numbers;
}

size_t UsableProcessors() {
  const size_t allowed = AllowedProcessors().size();
  const size_t count = allowed > 0 ? allowed : std::max(1U, std::thread::hardware_concurrency());
  const size_t quota = OwnQuota();
  return quota == 0 ? count : std::min(count, quota);
}

}  // namespace atelier

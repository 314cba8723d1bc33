// What a job's processes use, and what a dead gateway left of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace atelier::jobs {

inline constexpr int kEventFd = 3;  // where a child finds its event pipe,
inline constexpr int kLockFd = 4;   // and the lock that says it lives

// Resident memory of a process group: the leader's, and what the others do not share. Looks for new members once a
// second at most. Not thread-safe.
class GroupMemory {
 public:
  explicit GroupMemory(pid_t group) : group_(group) {}
  uint64_t ResidentBytes(int64_t steady_ms);

 private:
  pid_t group_;
  int64_t listed_ms_ = -1'000'000;
  std::vector<pid_t> members_;
};

// Kills the processes that hold `lock_file` open as kLockFd: what a dead gateway's job left behind.
// Returns how many.
int KillLockHolders(const std::filesystem::path& lock_file);

}  // namespace atelier::jobs

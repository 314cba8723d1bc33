// Child processes: starting one that cannot outlive us, and watching what it uses.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace atelier::jobs {

inline constexpr int kEventFd = 3;  // where a child finds its event pipe,
inline constexpr int kLockFd = 4;   // and the lock that says it lives

struct Command {
  std::filesystem::path program;
  std::vector<std::string> arguments;                            // without the program's own name
  std::vector<std::pair<std::string, std::string>> environment;  // added to, or in place of, ours
  int log_fd = -1;                                               // becomes standard output and error
  int event_fd = -1;                                             // becomes kEventFd
  int lock_fd = -1;                                              // becomes kLockFd
};

// Starts the program in a process group of its own, niced, with umask 077, no other descriptors, default signals, no
// core files, first in line for the kernel's out-of-memory killer. It is killed when the calling THREAD ends, so only a
// thread that lives as long as the service may call this. Errors: kInternal with the system's reason.
Result<pid_t> Spawn(const Command& command);

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

// Starting a child process that cannot outlive us: workers and jobs.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace atelier {

struct ProcessPlan {
  std::filesystem::path program{};
  std::vector<std::string> arguments{};              // without the program's own name
  std::map<std::string, std::string> environment{};  // added to, or in place of, ours; ATELIER_API_KEY is not passed on
  std::map<int, int> descriptors{};                  // number in the child, 1 to 63 -> ours; all others are closed
  int nice = 0;
  int oom_score_adjust = 0;  // more than 0: first in line for the kernel's out-of-memory killer
};

// Starts the program in a process group of its own, with umask 077, /dev/null as standard input, default signals and no
// core files. Idle OpenMP threads give their core up at once (GOMP_SPINCOUNT), unless the environment says otherwise.
// It is killed when the calling THREAD ends, so only a thread that lives as long as the service may call this. The
// descriptors stay the caller's. Errors: kInternal with the system's reason.
Result<pid_t> StartProcess(const ProcessPlan& plan);

}  // namespace atelier

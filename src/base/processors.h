// How many processors this process may use.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace atelier {

// The numbers of those that the calling thread may run on (its affinity); empty: not known (more than 1,024 of them).
std::vector<int> AllowedProcessors();

// At least 1: those it may run on (its affinity), and no more than the quota of its control group and those above it
// allows (cpu.max of version 2, whole processors).
size_t UsableProcessors();

// The quota of the control group `path` (as /proc/self/cgroup names it) and those above it, under the mount `root`; 0:
// none.
size_t ProcessorQuota(const std::filesystem::path& root, const std::filesystem::path& path);

}  // namespace atelier

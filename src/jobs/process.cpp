#include "jobs/process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

namespace atelier::jobs {
namespace {

// All numeric folders of /proc.
std::vector<pid_t> Processes() {
  std::vector<pid_t> pids;
  std::error_code ignored;
  for (std::filesystem::directory_iterator it("/proc", ignored), end; it != end; it.increment(ignored)) {
    const std::string name = it->path().filename().string();
    pid_t pid = 0;
    const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && rest == name.data() + name.size()) {
      pids.push_back(pid);
    }
    if (ignored) {
      break;
    }
  }
  return pids;
}

std::string ProcFile(pid_t pid, std::string_view name) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(name);
}

// {resident, shared} bytes; zeros when the process is gone.
std::pair<uint64_t, uint64_t> Memory(pid_t pid) {
  std::ifstream file(ProcFile(pid, "statm"));
  uint64_t size = 0;
  uint64_t resident = 0;
  uint64_t shared = 0;
  if (!(file >> size >> resident >> shared)) {
    return {0, 0};
  }
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return {resident * page, std::min(shared, resident) * page};
}

// Whether descriptor kLockFd of the process is the lock file, opened for writing as a child's is.
bool HoldsLock(pid_t pid, const struct stat& lock) {
  struct stat held {};
  const std::string number = std::to_string(kLockFd);
  if (::stat(ProcFile(pid, "fd/" + number).c_str(), &held) != 0 || held.st_ino != lock.st_ino ||
      held.st_dev != lock.st_dev) {
    return false;
  }
  std::ifstream info(ProcFile(pid, "fdinfo/" + number));
  std::string key;
  std::string value;
  while (info >> key >> value) {
    if (key == "flags:") {
      unsigned flags = 0;
      std::from_chars(value.data(), value.data() + value.size(), flags, 8);
      return (flags & O_ACCMODE) == O_RDWR;
    }
  }
  return false;
}

}  // namespace

uint64_t GroupMemory::ResidentBytes(int64_t steady_ms) {
  constexpr int64_t kListEveryMs = 1000;
  if (steady_ms - listed_ms_ >= kListEveryMs) {
    listed_ms_ = steady_ms;
    members_.clear();
    for (const pid_t pid : Processes()) {
      if (pid != group_ && ::getpgid(pid) == group_) {
        members_.push_back(pid);
      }
    }
  }
  uint64_t total = Memory(group_).first;
  for (const pid_t pid : members_) {
    if (::getpgid(pid) == group_) {
      const auto [resident, shared] = Memory(pid);
      total += resident - shared;
    }
  }
  return total;
}

int KillLockHolders(const std::filesystem::path& lock_file) {
  struct stat lock {};
  if (::stat(lock_file.c_str(), &lock) != 0) {
    return 0;
  }
  int killed = 0;
  for (const pid_t pid : Processes()) {
    if (pid != ::getpid() && HoldsLock(pid, lock) && ::kill(pid, SIGKILL) == 0) {
      ++killed;
    }
  }
  return killed;
}

}  // namespace atelier::jobs

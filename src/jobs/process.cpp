#include "jobs/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string_view>

#include "storage/files.h"

namespace atelier::jobs {
namespace {

constexpr int kFirstFree = 5;  // descriptors from here on are closed in the child
constexpr int kAside = 64;     // where the child keeps descriptors while it sorts them
constexpr int kNice = 10;

// All that the child needs, made before the fork: between fork and exec it may only make system calls.
struct Prepared {
  std::vector<std::string> strings;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const char* program = nullptr;
  pid_t parent = 0;
  int log_fd = -1;
  int event_fd = -1;
  int lock_fd = -1;
  int status_fd = -1;  // an errno, when something failed
};

bool Replaced(std::string_view variable, const Command& command) {
  const std::string_view name = variable.substr(0, variable.find('='));
  for (const auto& [key, value] : command.environment) {
    if (key == name) {
      return true;
    }
  }
  return false;
}

Prepared Prepare(const Command& command) {
  Prepared child;
  child.strings.push_back(command.program.string());
  child.strings.insert(child.strings.end(), command.arguments.begin(), command.arguments.end());
  const size_t argument_count = child.strings.size();
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!Replaced(*variable, command)) {
      child.strings.emplace_back(*variable);
    }
  }
  for (const auto& [key, value] : command.environment) {
    child.strings.push_back(key + "=" + value);
  }
  for (size_t i = 0; i < child.strings.size(); ++i) {
    (i < argument_count ? child.arguments : child.environment).push_back(child.strings[i].data());
  }
  child.arguments.push_back(nullptr);
  child.environment.push_back(nullptr);
  child.program = child.arguments[0];
  child.parent = ::getpid();
  child.log_fd = command.log_fd;
  child.event_fd = command.event_fd;
  child.lock_fd = command.lock_fd;
  return child;
}

[[noreturn]] void GiveUp(int status_fd) {
  const int reason = errno;
  [[maybe_unused]] const ssize_t n = ::write(status_fd, &reason, sizeof reason);
  ::_exit(127);
}

void ResetSignals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) {
    ::sigaction(signal, &standard, nullptr);  // fails for SIGKILL and SIGSTOP, which need none
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Puts the descriptors in place; all others close at exec.
void ArrangeDescriptors(const Prepared& child, int status_fd) {
  // First out of the way of 0..4, whatever numbers they came with.
  const int log_fd = ::fcntl(child.log_fd, F_DUPFD_CLOEXEC, kAside);
  const int event_fd = ::fcntl(child.event_fd, F_DUPFD_CLOEXEC, kAside);
  const int lock_fd = ::fcntl(child.lock_fd, F_DUPFD_CLOEXEC, kAside);
  const int null_fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool placed = log_fd >= 0 && event_fd >= 0 && lock_fd >= 0 && null_fd >= 0 && ::dup2(null_fd, 0) >= 0 &&
                      ::dup2(log_fd, 1) >= 0 && ::dup2(log_fd, 2) >= 0 && ::dup2(event_fd, kEventFd) >= 0 &&
                      ::dup2(lock_fd, kLockFd) >= 0;
  if (!placed) {
    GiveUp(status_fd);
  }
  ::fcntl(0, F_SETFD, 0);  // dup2 onto itself would have kept the close-on-exec flag
  if (::close_range(kFirstFree, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    constexpr int kMost = 65536;
    for (int fd = kFirstFree; fd < kMost; ++fd) {
      ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
  }
}

[[noreturn]] void RunChild(const Prepared& child) {
  const int status_fd = ::fcntl(child.status_fd, F_DUPFD_CLOEXEC, kAside);
  ::setpgid(0, 0);
  // The parent may have died before this call; then nobody would ever send the signal.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != child.parent) {
    GiveUp(status_fd);
  }
  ResetSignals();
  ::umask(077);
  [[maybe_unused]] const int niceness = ::nice(kNice);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int adjust = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (adjust >= 0) {
    [[maybe_unused]] const ssize_t n = ::write(adjust, "500", 3);
  }
  ArrangeDescriptors(child, status_fd);
  ::execve(child.program, child.arguments.data(), child.environment.data());
  GiveUp(status_fd);
}

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

Result<pid_t> Spawn(const Command& command) {
  Prepared child = Prepare(command);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Internal(std::string("no pipe for a new process: ") + std::strerror(errno));
  }
  const storage::FileDescriptor read_end(ends[0]);
  storage::FileDescriptor write_end(ends[1]);
  child.status_fd = write_end.get();
  // Blocked, so that no handler of ours runs in the child before it has reset them.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  const int fork_error = errno;
  if (pid == 0) {
    RunChild(child);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    return Internal(std::string("no new process: ") + std::strerror(fork_error));
  }
  ::setpgid(pid, pid);  // on both sides, so that neither has to wait for the other
  write_end = storage::FileDescriptor();
  int reason = 0;
  ssize_t n = 0;
  do {
    n = ::read(read_end.get(), &reason, sizeof reason);
  } while (n < 0 && errno == EINTR);
  if (n == 0) {
    return pid;
  }
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return Internal("the program " + command.program.filename().string() +
                  " cannot be started: " + std::strerror(reason));
}

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

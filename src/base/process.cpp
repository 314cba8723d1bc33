#include "base/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

namespace atelier {
namespace {

constexpr int kAside = 64;  // where the child keeps descriptors while it sorts them

// All that the child needs, made before the fork: between fork and exec it may only make system calls.
struct Prepared {
  std::vector<std::string> strings;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::vector<std::pair<int, int>> descriptors;  // number in the child, ours
  std::string oom_score_adjust;
  int nice = 0;
  pid_t parent = 0;
  int status_fd = -1;  // takes an errno when something fails
};

Prepared Prepare(const ProcessPlan& plan) {
  Prepared child;
  auto environment = plan.environment;
  environment.try_emplace("GOMP_SPINCOUNT", "1000");
  child.strings.push_back(plan.program.string());
  child.strings.insert(child.strings.end(), plan.arguments.begin(), plan.arguments.end());
  const size_t argument_count = child.strings.size();
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::string name(text.substr(0, text.find('=')));
    if (name == "GOMP_SPINCOUNT" || name == "OMP_WAIT_POLICY") {
      environment.erase("GOMP_SPINCOUNT");
    }
    if (name != "ATELIER_API_KEY" && !environment.contains(name)) {
      child.strings.emplace_back(text);
    }
  }
  for (const auto& [name, value] : environment) {
    child.strings.push_back(name + "=" + value);
  }
  for (size_t i = 0; i < child.strings.size(); ++i) {
    (i < argument_count ? child.arguments : child.environment).push_back(child.strings[i].data());
  }
  child.arguments.push_back(nullptr);
  child.environment.push_back(nullptr);
  child.descriptors.assign(plan.descriptors.begin(), plan.descriptors.end());
  child.oom_score_adjust = plan.oom_score_adjust == 0 ? "" : std::to_string(plan.oom_score_adjust);
  child.nice = plan.nice;
  child.parent = ::getpid();
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
void ArrangeDescriptors(Prepared& child, int status_fd) {
  const int null_fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  bool placed = null_fd >= 0;
  // First out of the way of the child's numbers, whatever numbers they came with.
  for (auto& [number, fd] : child.descriptors) {
    fd = ::fcntl(fd, F_DUPFD_CLOEXEC, kAside);
    placed = placed && fd >= 0;
  }
  placed = placed && ::dup2(null_fd, STDIN_FILENO) >= 0;
  if (!placed || ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    GiveUp(status_fd);
  }
  ::fcntl(STDIN_FILENO, F_SETFD, 0);  // dup2 onto itself would have kept the close-on-exec flag
  for (const auto& [number, fd] : child.descriptors) {
    if (::dup2(fd, number) < 0) {
      GiveUp(status_fd);
    }
  }
}

[[noreturn]] void RunChild(Prepared& child) {
  const int status_fd = ::fcntl(child.status_fd, F_DUPFD_CLOEXEC, kAside);
  ::setpgid(0, 0);
  // The parent may have died before this call; then nobody would ever send the signal.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != child.parent) {
    GiveUp(status_fd);
  }
  ResetSignals();
  ::umask(077);
  [[maybe_unused]] const int niceness = ::nice(child.nice);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int adjust = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (adjust >= 0) {
    [[maybe_unused]] const ssize_t n = ::write(adjust, child.oom_score_adjust.data(), child.oom_score_adjust.size());
  }
  ArrangeDescriptors(child, status_fd);
  ::execve(child.arguments[0], child.arguments.data(), child.environment.data());
  GiveUp(status_fd);
}

// The errno that the child reports before it runs the program; 0: the program runs.
int ReadReason(int fd) {
  int reason = 0;
  while (::read(fd, &reason, sizeof reason) < 0 && errno == EINTR) {
  }
  return reason;
}

}  // namespace

Result<pid_t> StartProcess(const ProcessPlan& plan) {
  Prepared child = Prepare(plan);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Internal(std::string("no pipe for a new process: ") + std::strerror(errno));
  }
  child.status_fd = ends[1];
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
  ::close(ends[1]);
  if (pid > 0) {
    ::setpgid(pid, pid);  // on both sides, so that neither has to wait for the other
  }
  const int reason = pid < 0 ? fork_error : ReadReason(ends[0]);
  ::close(ends[0]);
  if (reason == 0) {
    return pid;
  }
  if (pid > 0) {
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  return Internal("the program " + plan.program.filename().string() + " cannot be started: " + std::strerror(reason));
}

}  // namespace atelier

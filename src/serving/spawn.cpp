#include "serving/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/ids.h"
#include "base/json.h"

namespace atelier::serving {
namespace {

namespace fs = std::filesystem;

constexpr int kErrorFd = 3;
constexpr int kAboveStandard = 10;
constexpr size_t kMaxLineBytes = 400;
constexpr std::streamoff kTailBytes = 8192;
constexpr uintmax_t kMaxLogBytes = 16U << 20U;
constexpr size_t kLongestSocketName = 24;

std::string ErrnoText(int number) { return std::generic_category().message(number); }

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() { Close(); }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) {
      close(std::exchange(fd_, -1));
    }
  }
  // The same file under a number that the child's 0 to 3 cannot collide with.
  static Fd Raised(int fd) {
    Fd low(fd);
    return Fd(fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, kAboveStandard));
  }

 private:
  int fd_;
};

std::vector<std::string> Environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string name(text.substr(0, text.find('=')));
    if (name != "ATELIER_API_KEY" && !added.contains(name)) {
      out.emplace_back(text);
    }
  }
  for (const auto& [name, value] : added) {
    out.push_back(name + "=" + value);
  }
  return out;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& text : strings) {
    out.push_back(text.data());
  }
  out.push_back(nullptr);
  return out;
}

struct ChildPlan {
  const char* program;
  char* const* arguments;
  char* const* environment;
  pid_t parent;
  int null_fd;
  int log_fd;
  int error_fd;
};

// Between fork and exec of a program with threads: async-signal-safe calls only.
[[noreturn]] void RunChild(const ChildPlan& plan) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) {
    _exit(127);  // the parent ended before the kernel had its order
  }
  for (int number = 1; number < 32; ++number) {
    signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(plan.null_fd, STDIN_FILENO);
  dup2(plan.log_fd, STDOUT_FILENO);
  dup2(plan.log_fd, STDERR_FILENO);
  dup2(plan.error_fd, kErrorFd);
  fcntl(kErrorFd, F_SETFD, FD_CLOEXEC);
  close_range(kErrorFd + 1, ~0U, 0);
  execve(plan.program, plan.arguments, plan.environment);
  const int number = errno;
  [[maybe_unused]] const ssize_t written = write(kErrorFd, &number, sizeof(number));
  _exit(127);
}

Result<Fd> OpenLog(const fs::path& log) {
  std::error_code error;
  fs::create_directories(log.parent_path(), error);
  if (fs::file_size(log, error) > kMaxLogBytes && !error) {
    fs::rename(log, log.string() + ".1", error);
  }
  Fd fd = Fd::Raised(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (fd.get() < 0) {
    return Internal("cannot open the log " + log.string() + ": " + ErrnoText(errno));
  }
  return fd;
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
  return address;
}

bool IsDeadSocket(const fs::path& path) {
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = AddressOf(path.string());
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 && errno == ECONNREFUSED;
}

bool IsSocketName(const std::string& name) { return name.starts_with("w-") && name.ends_with(".sock"); }

}  // namespace

Result<pid_t> Spawn(const SpawnPlan& plan) {
  std::vector<std::string> arguments = plan.arguments;
  arguments.insert(arguments.begin(), plan.program.string());
  std::vector<std::string> environment = Environment(plan.environment);
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);
  ATELIER_ASSIGN(log, OpenLog(plan.log));
  const Fd null = Fd::Raised(open("/dev/null", O_RDONLY | O_CLOEXEC));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return Internal("cannot start a worker: " + ErrnoText(errno));
  }
  const Fd read_end(ends[0]);
  Fd write_end = Fd::Raised(ends[1]);
  const ChildPlan child{
      plan.program.c_str(), argument_pointers.data(), environment_pointers.data(), getpid(), null.get(), log.get(),
      write_end.get()};
  const pid_t pid = fork();
  if (pid == 0) {
    RunChild(child);
  }
  if (pid < 0) {
    return Internal("cannot start a worker: " + ErrnoText(errno));
  }
  write_end.Close();
  int number = 0;
  ssize_t got = 0;
  while ((got = read(read_end.get(), &number, sizeof(number))) < 0 && errno == EINTR) {
  }
  if (got == static_cast<ssize_t>(sizeof(number))) {
    waitpid(pid, nullptr, 0);
    return Internal("cannot execute " + plan.program.string() + ": " + ErrnoText(number));
  }
  return pid;
}

std::optional<std::string> Reap(pid_t pid) {
  int status = 0;
  const pid_t got = waitpid(pid, &status, WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) {
    return std::nullopt;
  }
  if (got < 0) {
    return "it ended";
  }
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    const char* name = strsignal(number);
    return "signal " + std::to_string(number) + " (" + (name == nullptr ? "unknown" : name) + ")";
  }
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

std::string LastLogLine(const fs::path& log) {
  std::ifstream file(log, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : 0;
  if (size <= 0) {
    return "";
  }
  const std::streamoff tail = std::min(size, kTailBytes);
  file.seekg(size - tail);
  std::string text(static_cast<size_t>(tail), '\0');
  file.read(text.data(), tail);
  const size_t end = text.find_last_not_of(" \r\n\t");
  if (end == std::string::npos) {
    return "";
  }
  const size_t newline = text.rfind('\n', end);
  std::string line = text.substr(newline == std::string::npos ? 0 : newline + 1);
  line.resize(line.find_last_not_of(" \r\n\t") + 1);
  if (auto parsed = ParseJson(line); parsed.ok() && parsed->is_object()) {
    const std::string error = GetString(parsed->get_object(), "error");
    line = GetString(parsed->get_object(), "message", line) + (error.empty() ? "" : ": " + error);
  }
  if (line.size() > kMaxLineBytes) {
    line.resize(kMaxLineBytes);
  }
  while (!line.empty() && !IsUtf8(line)) {
    line.pop_back();
  }
  return line;
}

Result<SocketFolder> SocketFolder::Open(const fs::path& data_dir) {
  std::error_code error;
  const fs::path folder = fs::absolute(data_dir, error) / "run";
  if (folder.string().size() + kLongestSocketName < sizeof(sockaddr_un::sun_path)) {
    fs::create_directories(folder, error);
    fs::permissions(folder, fs::perms::owner_all, error);
    if (error) {
      return Internal("cannot create " + folder.string() + ": " + error.message());
    }
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      if (IsSocketName(it->path().filename().string()) && IsDeadSocket(it->path())) {
        std::error_code ignored;
        fs::remove(it->path(), ignored);
      }
    }
    return SocketFolder(folder, false);
  }
  char name[] = "/tmp/atelier-XXXXXX";  // mkdtemp makes it 0700
  if (mkdtemp(name) == nullptr) {
    return Internal("cannot create a folder for sockets under /tmp: " + ErrnoText(errno));
  }
  return SocketFolder(name, true);
}

SocketFolder::SocketFolder(SocketFolder&& other) noexcept
    : folder_(std::move(other.folder_)), temporary_(std::exchange(other.temporary_, false)) {}

SocketFolder::~SocketFolder() {
  if (temporary_) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
}

std::string SocketFolder::PathOf(const std::string& short_id) const {
  return (folder_ / ("w-" + short_id + ".sock")).string();
}

}  // namespace atelier::serving

#include "serving/spawn.h"

#include <fcntl.h>
#include <signal.h>
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

constexpr size_t kMaxLineBytes = 400;
constexpr std::streamoff kTailBytes = 8192;
constexpr uintmax_t kMaxLogBytes = 16U << 20U;
constexpr size_t kLongestSocketName = 24;

std::string ErrnoText(int number) { return std::generic_category().message(number); }

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
  return address;
}

bool IsDeadSocket(const fs::path& path) {
  const storage::FileDescriptor fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_un address = AddressOf(path.string());
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 && errno == ECONNREFUSED;
}

bool IsSocketName(const std::string& name) { return name.starts_with("w-") && name.ends_with(".sock"); }

}  // namespace

Result<storage::FileDescriptor> OpenWorkerLog(const fs::path& log) {
  std::error_code error;
  fs::create_directories(log.parent_path(), error);
  if (fs::file_size(log, error) > kMaxLogBytes && !error) {
    fs::rename(log, log.string() + ".1", error);
  }
  storage::FileDescriptor fd(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return Internal("cannot open the log " + log.string() + ": " + ErrnoText(errno));
  }
  return fd;
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

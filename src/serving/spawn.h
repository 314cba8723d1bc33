// Starting, looking after and naming the sockets of child processes: the operating system's part of the manager.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::serving {

struct SpawnPlan {
  std::filesystem::path program;
  std::vector<std::string> arguments;              // without the program's name
  std::map<std::string, std::string> environment;  // added to this process's; ATELIER_API_KEY is not passed on
  std::filesystem::path log;                       // standard output and error are appended
};

// Starts the program in a process group of its own, with no open files but /dev/null and its log, default signals, and
// the kernel's order to be killed when the calling *thread* ends. Errors: kInternal (it cannot be executed ...).
Result<pid_t> Spawn(const SpawnPlan& plan);

// If the child has ended: how, for a person ("exit status 1", "signal 9 (Killed)"). Reaps it. nullopt: it runs.
std::optional<std::string> Reap(pid_t pid);

// The message of the last line of a log, short enough for a status; empty where there is none.
std::string LastLogLine(const std::filesystem::path& log);

// The folder of the workers' sockets: data_dir/run, or a private one under /tmp where the path would be too long for
// a socket's address (107 bytes). Removes sockets that nobody listens on. Errors: kInternal.
class SocketFolder {
 public:
  static Result<SocketFolder> Open(const std::filesystem::path& data_dir);
  SocketFolder(SocketFolder&& other) noexcept;
  SocketFolder& operator=(SocketFolder&&) = delete;
  ~SocketFolder();

  std::string PathOf(const std::string& short_id) const;

 private:
  SocketFolder(std::filesystem::path folder, bool temporary) : folder_(std::move(folder)), temporary_(temporary) {}

  std::filesystem::path folder_;
  bool temporary_;
};

}  // namespace atelier::serving

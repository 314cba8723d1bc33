// The logs, ends and sockets of worker processes: the operating system's part of the manager.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "storage/files.h"

namespace atelier::serving {

// Opens a worker's log to append to, as its standard output and error; a long one is set aside as LOG.1 first.
// Errors: kInternal.
Result<storage::FileDescriptor> OpenWorkerLog(const std::filesystem::path& log);

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

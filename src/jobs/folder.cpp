#include "jobs/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace atelier::jobs {
namespace {

Status MakeFolder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) == 0) {
    return storage::SyncDirectory(folder.parent_path());
  }
  return errno == EEXIST ? Status() : Status(storage::FileError(errno, "create", folder.string()));
}

}  // namespace

std::filesystem::path JobFolder(const std::filesystem::path& data_dir, const std::string& id) {
  return data_dir / "jobs" / id;
}

Status PrepareFolder(const std::filesystem::path& folder, const Job& job, int attempt) {
  ATELIER_TRY(MakeFolder(folder.parent_path()));
  ATELIER_TRY(MakeFolder(folder));
  boost::json::object spec = job.spec;
  spec["id"] = job.id;
  spec["kind"] = job.kind;
  spec["attempt"] = attempt;
  return storage::ReplaceFileDurably(folder / "spec.json", boost::json::serialize(spec), 0600);
}

Result<storage::FileDescriptor> OpenLog(const std::filesystem::path& folder) {
  // Read and written: trimming it reads its end.
  storage::FileDescriptor fd(
      ::open((folder / "log.txt").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return storage::FileError(errno, "open", (folder / "log.txt").string());
  }
  return fd;
}

Result<storage::FileDescriptor> LockFolder(const std::filesystem::path& folder) {
  storage::FileDescriptor fd(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    return storage::FileError(errno, "open", (folder / "lock").string());
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
    return fd;
  }
  if (errno == EWOULDBLOCK) {
    return Unavailable("a process of an earlier attempt still runs", "job_locked");
  }
  return storage::FileError(errno, "lock", (folder / "lock").string());
}

}  // namespace atelier::jobs

#include "storage/backends/folder/folder_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/ids.h"
#include "base/rng.h"

namespace atelier::storage {
namespace {

constexpr int kCreateAttempts = 100;

bool StillNamed(int descriptor) {
  struct stat info {};
  return fstat(descriptor, &info) == 0 && info.st_nlink > 0;
}

}  // namespace

Result<std::filesystem::path> Shards::Ensure(const std::string& sha256) {
  const std::string name = ShardOf(sha256);
  auto shard = directory_ / name;
  if (durable_.With([&](const auto& durable) { return durable.contains(name); })) {
    return shard;
  }
  if (mkdir(shard.c_str(), 0755) != 0 && errno != EEXIST) {
    return FileError(errno, "create", shard.string());
  }
  ATELIER_TRY(SyncDirectory(directory_));
  durable_.With([&](auto& durable) { durable.insert(name); });
  return shard;
}

Result<std::unique_ptr<BlobWriter>> FolderBlobWriter::Create(std::shared_ptr<Shards> shards) {
  SystemRng rng;
  const std::string prefix = std::to_string(getpid()) + "-";
  for (int attempt = 0; attempt < kCreateAttempts; ++attempt) {
    auto temporary = shards->directory() / "tmp" / NewId(prefix, rng);
    FileDescriptor file(open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.valid()) {
      return FileError(errno, "create", temporary.string());
    }
    // A sweep of another process may see the file before it is locked; then it is gone, and another is made.
    if (flock(file.get(), LOCK_EX | LOCK_NB) == 0 && StillNamed(file.get())) {
      return std::unique_ptr<BlobWriter>(
          new FolderBlobWriter(std::move(shards), std::move(temporary), std::move(file)));
    }
  }
  return Internal("cannot create a temporary blob");
}

FolderBlobWriter::~FolderBlobWriter() {
  if (phase_ != Phase::kPublished) {
    unlink(temporary_.c_str());
  }
}

Status FolderBlobWriter::Append(std::span<const std::byte> bytes) {
  if (phase_ != Phase::kWriting) {
    return FailedPrecondition("the blob's writer has ended");
  }
  Status status = WriteAll(file_.get(), bytes, "blob");
  if (!status.ok()) {
    phase_ = Phase::kFailed;
    return status;
  }
  hash_.Update(bytes);
  size_ += bytes.size();
  return {};
}

Result<BlobRef> FolderBlobWriter::Commit() {
  if (phase_ != Phase::kWriting) {
    return FailedPrecondition("the blob's writer has ended");
  }
  phase_ = Phase::kFailed;
  BlobRef blob{hash_.Finish(), size_};
  if (fchmod(file_.get(), 0444) != 0) {
    return FileError(errno, "protect", blob.sha256);
  }
  ATELIER_TRY(SyncDescriptor(file_.get(), blob.sha256));
  ATELIER_TRY(Publish(blob.sha256));
  return blob;
}

Status FolderBlobWriter::Publish(const std::string& sha256) {
  ATELIER_ASSIGN(shard, shards_->Ensure(sha256));
  // Replacing a blob of the same name is what heals one whose bytes went bad on the disk.
  if (rename(temporary_.c_str(), (shard / LeafOf(sha256)).c_str()) != 0) {
    return FileError(errno, "publish", sha256);
  }
  phase_ = Phase::kPublished;
  return SyncDirectory(shard);
}

Status RemoveAbandoned(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entries(directory / "tmp", error);
  if (error) {
    return FileError(error.value(), "list", (directory / "tmp").string());
  }
  for (; entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string file = entries->path().string();
    const FileDescriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info {};
    if (!descriptor.valid() || fstat(descriptor.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      continue;
    }
    if (flock(descriptor.get(), LOCK_EX | LOCK_NB) == 0) {
      unlink(file.c_str());
    }
    if (error) {
      return FileError(error.value(), "list", (directory / "tmp").string());
    }
  }
  return {};
}

}  // namespace atelier::storage

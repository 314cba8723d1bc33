// Blobs in a folder: DIR/ab/cdef..., mode 0444, and temporary files in DIR/tmp.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "base/ids.h"
#include "storage/backends/folder/folder_writer.h"

namespace atelier::storage {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10U;
constexpr size_t kRememberedBlobs = 65536;

// What tells one state of a file from another without reading it.
struct FileState {
  dev_t device = 0;
  ino_t inode = 0;
  int64_t size = 0;
  int64_t modified_ns = 0;

  bool operator==(const FileState&) const = default;
};

FileState StateOf(const struct stat& info) {
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec};
}

struct OpenBlob {
  FileDescriptor file;
  FileState state;
};

Result<size_t> ReadAt(int descriptor, std::span<std::byte> out, uint64_t offset, std::string_view what) {
  while (true) {
    const ssize_t count = pread(descriptor, out.data(), out.size(), static_cast<off_t>(offset));
    if (count >= 0) {
      return static_cast<size_t>(count);
    }
    if (errno != EINTR) {
      return FileError(errno, "read", what);
    }
  }
}

class FolderBlobReader final : public BlobReader {
 public:
  FolderBlobReader(OpenBlob blob, std::string sha256) : blob_(std::move(blob)), sha256_(std::move(sha256)) {}

  uint64_t size() const override { return static_cast<uint64_t>(blob_.state.size); }

  Result<size_t> Read(std::span<std::byte> out) override {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(out.size(), size() - offset_));
    size_t filled = 0;
    while (filled < wanted) {
      ATELIER_ASSIGN(count, ReadAt(blob_.file.get(), out.subspan(filled, wanted - filled), offset_, sha256_));
      if (count == 0) {
        return DataLoss("blob " + sha256_ + " was cut short");
      }
      filled += count;
      offset_ += count;
    }
    return filled;
  }

 private:
  OpenBlob blob_;
  std::string sha256_;
  uint64_t offset_ = 0;
};

class FolderBlobStore final : public BlobStore {
 public:
  FolderBlobStore(std::filesystem::path directory, FileDescriptor root)
      : directory_(directory), root_(std::move(root)), shards_(std::make_shared<Shards>(std::move(directory))) {}

  Result<std::unique_ptr<BlobWriter>> Create() override { return FolderBlobWriter::Create(shards_); }

  Result<std::unique_ptr<BlobReader>> Open(std::string_view sha256) override {
    ATELIER_ASSIGN(blob, OpenVerified(sha256));
    return std::unique_ptr<BlobReader>(std::make_unique<FolderBlobReader>(std::move(blob), std::string(sha256)));
  }

  Result<std::filesystem::path> LocalPath(std::string_view sha256) override {
    ATELIER_TRY(OpenVerified(sha256));
    return directory_ / ShardOf(sha256) / LeafOf(sha256);
  }

  Result<uint64_t> Size(std::string_view sha256) override {
    ATELIER_ASSIGN(blob, OpenFile(sha256));
    return static_cast<uint64_t>(blob.state.size);
  }

  Status Delete(std::string_view sha256) override {
    auto shard = OpenShard(sha256);
    if (!shard.ok()) {
      return shard.error().code == Code::kNotFound ? Status() : Status(std::move(shard).error());
    }
    verified_.With([&](auto& verified) { verified.erase(std::string(sha256)); });
    if (unlinkat(shard->get(), LeafOf(sha256).c_str(), 0) == 0) {
      return SyncDescriptor(shard->get(), ShardOf(sha256));
    }
    return errno == ENOENT ? Status() : Status(FileError(errno, "delete", sha256));
  }

  Status Sweep() override { return RemoveAbandoned(directory_); }

 private:
  Result<FileDescriptor> OpenShard(std::string_view sha256) {
    if (!IsSha256(sha256)) {
      return InvalidArgument("a blob is named by 64 lower-case hexadecimal digits", "sha256");
    }
    FileDescriptor shard(openat(root_.get(), ShardOf(sha256).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!shard.valid()) {
      return OpenError(errno, sha256);
    }
    return shard;
  }

  Result<OpenBlob> OpenFile(std::string_view sha256) {
    ATELIER_ASSIGN(shard, OpenShard(sha256));
    OpenBlob blob;
    // O_NONBLOCK: should a pipe lie here, opening it must not hang.
    blob.file =
        FileDescriptor(openat(shard.get(), LeafOf(sha256).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!blob.file.valid()) {
      return OpenError(errno, sha256);
    }
    struct stat info {};
    if (fstat(blob.file.get(), &info) != 0) {
      return FileError(errno, "inspect", sha256);
    }
    if (!S_ISREG(info.st_mode)) {
      return DataLoss("blob " + std::string(sha256) + " is not a regular file");
    }
    blob.state = StateOf(info);
    return blob;
  }

  static Error OpenError(int error_number, std::string_view sha256) {
    if (error_number == ENOENT) {
      return NotFound("there is no blob " + std::string(sha256), "blob_not_found");
    }
    if (error_number == ELOOP || error_number == ENOTDIR) {
      return DataLoss("blob " + std::string(sha256) + " is not a regular file");
    }
    return FileError(error_number, "open", sha256);
  }

  Result<OpenBlob> OpenVerified(std::string_view sha256) {
    ATELIER_ASSIGN(blob, OpenFile(sha256));
    const std::string name(sha256);
    const bool known = verified_.With([&](auto& verified) {
      const auto found = verified.find(name);
      return found != verified.end() && found->second == blob.state;
    });
    if (known) {
      return blob;
    }
    ATELIER_TRY(Verify(blob, name));
    verified_.With([&](auto& verified) {
      if (verified.size() >= kRememberedBlobs) {
        verified.clear();
      }
      verified[name] = blob.state;
    });
    return blob;
  }

  static Status Verify(const OpenBlob& blob, const std::string& sha256) {
    Sha256 hash;
    std::vector<std::byte> buffer(kReadBytes);
    uint64_t offset = 0;
    while (true) {
      ATELIER_ASSIGN(count, ReadAt(blob.file.get(), buffer, offset, sha256));
      if (count == 0) {
        break;
      }
      hash.Update(std::span(buffer).first(count));
      offset += count;
    }
    if (offset != static_cast<uint64_t>(blob.state.size) || hash.Finish() != sha256) {
      return DataLoss("the bytes of blob " + sha256 + " do not match its name");
    }
    return {};
  }

  std::filesystem::path directory_;
  FileDescriptor root_;
  std::shared_ptr<Shards> shards_;  // shared with the writers
  Guarded<std::unordered_map<std::string, FileState>> verified_;
};

}  // namespace

Result<std::unique_ptr<BlobStore>> OpenFolderBlobStore(const std::filesystem::path& directory) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(directory, error);
  if (error) {
    return FileError(error.value(), "find", directory.string());
  }
  std::filesystem::create_directories(absolute / "tmp", error);
  if (error) {
    return FileError(error.value(), "create", absolute.string());
  }
  FileDescriptor root(open(absolute.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) {
    return FileError(errno, "open", absolute.string());
  }
  ATELIER_TRY(SyncDescriptor(root.get(), absolute.string()));
  ATELIER_TRY(SyncDirectory(absolute.parent_path()));
  return std::unique_ptr<BlobStore>(std::make_unique<FolderBlobStore>(absolute, std::move(root)));
}

}  // namespace atelier::storage

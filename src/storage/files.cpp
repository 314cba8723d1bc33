#include "storage/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/ids.h"
#include "base/rng.h"

namespace atelier::storage {
namespace {

std::string RandomSuffix() {
  SystemRng rng;
  std::array<std::byte, 8> bits{};
  rng.Fill(bits);
  return Hex(bits);
}

std::filesystem::path ParentOf(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

Status WriteAndSync(int descriptor, std::string_view bytes, std::string_view what) {
  ATELIER_TRY(WriteAll(descriptor, std::as_bytes(std::span(bytes.data(), bytes.size())), what));
  return SyncDescriptor(descriptor, what);
}

// Writes the bytes under a temporary name beside `file`, then lets `publish(temporary)` give them their own name.
template <class Publish>
Status WriteDurably(const std::filesystem::path& file, std::string_view bytes, uint32_t mode, Publish publish) {
  const std::string temporary = file.string() + "." + RandomSuffix() + ".tmp";
  FileDescriptor descriptor(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!descriptor.valid()) {
    return FileError(errno, "create", file.string());
  }
  Status status = WriteAndSync(descriptor.get(), bytes, file.string());
  if (status.ok() && publish(temporary) != 0) {
    status = errno == EEXIST ? AlreadyExists("'" + file.string() + "' exists already")
                             : FileError(errno, "publish", file.string());
  }
  unlink(temporary.c_str());
  ATELIER_TRY(std::move(status));
  return SyncDirectory(ParentOf(file));
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

Error FileError(int error_number, std::string_view doing, std::string_view what) {
  const std::string message =
      "cannot " + std::string(doing) + " '" + std::string(what) + "': " + std::generic_category().message(error_number);
  switch (error_number) {
    case ENOENT:
      return NotFound(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return MakeError(Code::kResourceExhausted, message, "storage_full");
    case EACCES:
    case EPERM:
    case EROFS:
      return MakeError(Code::kPermissionDenied, message);
    default:
      return Internal(message);
  }
}

Status WriteAll(int descriptor, std::span<const std::byte> bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      return FileError(errno, "write", what);
    }
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

Status SyncDescriptor(int descriptor, std::string_view what) {
  if (fsync(descriptor) != 0) {
    return FileError(errno, "sync", what);
  }
  return {};
}

Status SyncDirectory(const std::filesystem::path& directory) {
  const FileDescriptor descriptor(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid()) {
    return FileError(errno, "open", directory.string());
  }
  return SyncDescriptor(descriptor.get(), directory.string());
}

Status CreateFileDurably(const std::filesystem::path& file, std::string_view bytes, uint32_t mode) {
  // link() refuses to take a name that exists, which rename() does not.
  return WriteDurably(file, bytes, mode,
                      [&](const std::string& temporary) { return link(temporary.c_str(), file.c_str()); });
}

Status ReplaceFileDurably(const std::filesystem::path& file, std::string_view bytes, uint32_t mode) {
  return WriteDurably(file, bytes, mode,
                      [&](const std::string& temporary) { return rename(temporary.c_str(), file.c_str()); });
}

Result<std::string> ReadSmallFile(const std::filesystem::path& file, size_t max_bytes) {
  // O_NONBLOCK: opening a pipe that has no writer must not hang.
  const FileDescriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!descriptor.valid()) {
    return FileError(errno, "open", file.string());
  }
  struct stat info {};
  if (fstat(descriptor.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return FailedPrecondition("'" + file.string() + "' is not a regular file");
  }
  std::string bytes;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = read(descriptor.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return FileError(errno, "read", file.string());
    }
    if (count == 0) {
      return bytes;
    }
    bytes.append(buffer.data(), static_cast<size_t>(count));
    if (bytes.size() > max_bytes) {
      return MakeError(Code::kOutOfRange, "'" + file.string() + "' is larger than expected");
    }
  }
}

}  // namespace atelier::storage

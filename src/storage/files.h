// Small durable files and the POSIX calls behind them. Every failure names what was being done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace atelier::storage {

// Owns one open file descriptor. Not thread-safe.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();

  int get() const { return descriptor_; }
  bool valid() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

// The error for an `errno`: kNotFound for ENOENT, kResourceExhausted "storage_full" where no more bytes fit,
// kPermissionDenied, otherwise kInternal.
Error FileError(int error_number, std::string_view doing, std::string_view what);

// Writes everything, going on after interruptions and short writes. Errors: as FileError.
Status WriteAll(int descriptor, std::span<const std::byte> bytes, std::string_view what);

// Makes the names in a directory durable.
Status SyncDirectory(const std::filesystem::path& directory);
Status SyncDescriptor(int descriptor, std::string_view what);

// Creates the file with these bytes, whole and durable, or leaves everything as it was. `mode` as in chmod.
// Errors: kAlreadyExists, as FileError.
Status CreateFileDurably(const std::filesystem::path& file, std::string_view bytes, uint32_t mode);

// As above, but takes the place of a file that exists.
Status ReplaceFileDurably(const std::filesystem::path& file, std::string_view bytes, uint32_t mode);

// The bytes of a regular file; does not follow a symbolic link. Errors: kOutOfRange above max_bytes, as FileError.
Result<std::string> ReadSmallFile(const std::filesystem::path& file, size_t max_bytes);

}  // namespace atelier::storage

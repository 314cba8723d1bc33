// Blobs: immutable bytes named by their SHA-256. One interface; a backend is one file under backends/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::storage {

struct BlobRef {
  std::string sha256;  // 64 lower-case hexadecimal digits
  uint64_t size = 0;   // bytes

  bool operator==(const BlobRef&) const = default;
};

// One blob being written. Invisible until Commit; destroyed without it, nothing remains. Not thread-safe.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  // Errors: kResourceExhausted "storage_full", kInternal. After an error the writer can only be destroyed.
  virtual Status Append(std::span<const std::byte> bytes) = 0;
  // Durable when it returns (file fsync, rename, directory fsync). Committing content that exists already is fine.
  virtual Result<BlobRef> Commit() = 0;
};

// Sequential reader. Not thread-safe.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  virtual uint64_t size() const = 0;
  // Fills as much of `out` as the blob still has; 0 at the end. Errors: kDataLoss, kInternal.
  virtual Result<size_t> Read(std::span<std::byte> out) = 0;
};

// Thread-safe. Several processes may use one store at once.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual Result<std::unique_ptr<BlobWriter>> Create() = 0;
  // The content is verified against its name when this process reads it for the first time.
  // Errors: kNotFound, kDataLoss (the bytes do not match the name), kInvalidArgument (not a SHA-256).
  virtual Result<std::unique_ptr<BlobReader>> Open(std::string_view sha256) = 0;
  // A verified local file with the blob's bytes, for memory maps; it stays until the blob is deleted. Never write to
  // it.
  virtual Result<std::filesystem::path> LocalPath(std::string_view sha256) = 0;
  virtual Result<uint64_t> Size(std::string_view sha256) = 0;  // kNotFound where absent
  virtual Status Delete(std::string_view sha256) = 0;          // absent is fine
  // Removes what writers of dead processes left behind. Called once at start.
  virtual Status Sweep() = 0;
};

// A store in a folder: DIR/ab/cdef..., temporary files in DIR/tmp. Creates the folder.
Result<std::unique_ptr<BlobStore>> OpenFolderBlobStore(const std::filesystem::path& directory);

Result<BlobRef> PutBytes(BlobStore& store, std::string_view bytes);
Result<BlobRef> PutFile(BlobStore& store, const std::filesystem::path& file);
// Errors: as Open; kOutOfRange when the blob has more than max_bytes.
Result<std::string> ReadAll(BlobStore& store, std::string_view sha256, uint64_t max_bytes);

}  // namespace atelier::storage

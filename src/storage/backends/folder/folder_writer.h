// The writing half of the folder store.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/hash.h"
#include "storage/blob_store.h"
#include "storage/files.h"

namespace atelier::storage {

// Where a blob lies below the store's directory: the first two digits name the folder, the other 62 the file.
inline std::string ShardOf(std::string_view sha256) { return std::string(sha256.substr(0, 2)); }
inline std::string LeafOf(std::string_view sha256) { return std::string(sha256.substr(2)); }

// Writes DIR/tmp/PID-RANDOM and gives it its name at Commit. The open file carries a lock (flock) for as long as the
// writer lives, which is how RemoveAbandoned tells a dead writer's file from a living one's.
class FolderBlobWriter final : public BlobWriter {
 public:
  static Result<std::unique_ptr<BlobWriter>> Create(const std::filesystem::path& directory);
  ~FolderBlobWriter() override;
  FolderBlobWriter(const FolderBlobWriter&) = delete;
  FolderBlobWriter& operator=(const FolderBlobWriter&) = delete;

  Status Append(std::span<const std::byte> bytes) override;
  Result<BlobRef> Commit() override;

 private:
  FolderBlobWriter(std::filesystem::path directory, std::filesystem::path temporary, FileDescriptor file)
      : directory_(std::move(directory)), temporary_(std::move(temporary)), file_(std::move(file)) {}
  Status Publish(const std::string& sha256);

  std::filesystem::path directory_;
  std::filesystem::path temporary_;
  FileDescriptor file_;
  Sha256 hash_;
  uint64_t size_ = 0;
  enum class Phase { kWriting, kFailed, kPublished } phase_ = Phase::kWriting;
};

// Removes the temporary files whose writers live no more. Errors: as FileError.
Status RemoveAbandoned(const std::filesystem::path& directory);

}  // namespace atelier::storage

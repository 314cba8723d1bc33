// The writing half of the folder store.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "base/guarded.h"
#include "base/hash.h"
#include "storage/blob_store.h"
#include "storage/files.h"

namespace atelier::storage {

// Where a blob lies below the store's directory: the first two digits name the folder, the other 62 the file.
inline std::string ShardOf(std::string_view sha256) { return std::string(sha256.substr(0, 2)); }
inline std::string LeafOf(std::string_view sha256) { return std::string(sha256.substr(2)); }

// The 256 folders of a store, made when first needed. Thread-safe.
class Shards {
 public:
  explicit Shards(std::filesystem::path directory) : directory_(std::move(directory)) {}

  const std::filesystem::path& directory() const { return directory_; }
  // The folder of a blob, made where absent. Its name is durable when this returns, also where another process made the
  // folder and has not synced it yet: a process trusts a folder only after having synced the parent itself.
  Result<std::filesystem::path> Ensure(const std::string& sha256);

 private:
  std::filesystem::path directory_;
  Guarded<std::set<std::string>> durable_;
};

// Writes DIR/tmp/PID-RANDOM and gives it its name at Commit. The open file carries a lock (flock) for as long as the
// writer lives, which is how RemoveAbandoned tells a dead writer's file from a living one's.
class FolderBlobWriter final : public BlobWriter {
 public:
  static Result<std::unique_ptr<BlobWriter>> Create(std::shared_ptr<Shards> shards);
  ~FolderBlobWriter() override;
  FolderBlobWriter(const FolderBlobWriter&) = delete;
  FolderBlobWriter& operator=(const FolderBlobWriter&) = delete;

  Status Append(std::span<const std::byte> bytes) override;
  Result<BlobRef> Commit() override;

 private:
  FolderBlobWriter(std::shared_ptr<Shards> shards, std::filesystem::path temporary, FileDescriptor file)
      : shards_(std::move(shards)), temporary_(std::move(temporary)), file_(std::move(file)) {}
  Status Publish(const std::string& sha256);

  std::shared_ptr<Shards> shards_;  // shared: a writer may outlive its store
  std::filesystem::path temporary_;
  FileDescriptor file_;
  Sha256 hash_;
  uint64_t size_ = 0;
  enum class Phase { kWriting, kFailed, kPublished } phase_ = Phase::kWriting;
};

// Removes the temporary files whose writers live no more. Errors: as FileError.
Status RemoveAbandoned(const std::filesystem::path& directory);

}  // namespace atelier::storage

// Blobs as files that a test wrote, named by their content.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "base/hash.h"
#include "storage/blob_store.h"

namespace atelier::serving::testing {

class FakeBlobs final : public storage::BlobStore {
 public:
  explicit FakeBlobs(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
  }

  storage::BlobRef Put(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    std::ofstream(folder_ / sha256, std::ios::binary) << bytes;
    return {sha256, bytes.size()};
  }

  Result<std::filesystem::path> LocalPath(std::string_view sha256) override {
    const auto path = folder_ / sha256;
    if (!std::filesystem::exists(path)) {
      return NotFound("no such blob");
    }
    return path;
  }

  Result<std::unique_ptr<storage::BlobWriter>> Create() override { return Internal("not used"); }
  Result<std::unique_ptr<storage::BlobReader>> Open(std::string_view) override { return Internal("not used"); }
  Result<uint64_t> Size(std::string_view) override { return Internal("not used"); }
  Status Delete(std::string_view) override { return Internal("not used"); }
  Status Sweep() override { return {}; }

 private:
  std::filesystem::path folder_;
};

}  // namespace atelier::serving::testing

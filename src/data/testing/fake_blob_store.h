// A blob store for tests: a temporary folder, nothing synced.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "base/hash.h"
#include "data/importer.h"
#include "storage/blob_store.h"

namespace atelier::data::testing {

class FakeBlobStore final : public storage::BlobStore {
 public:
  FakeBlobStore() {
    static int count = 0;
    directory_ = std::filesystem::temp_directory_path() /
                 ("atelier_data_test." + std::to_string(::getpid()) + "." + std::to_string(count++));
    std::filesystem::create_directories(directory_);
  }
  FakeBlobStore(const FakeBlobStore&) = delete;
  FakeBlobStore& operator=(const FakeBlobStore&) = delete;
  ~FakeBlobStore() override { std::filesystem::remove_all(directory_); }

  Result<std::unique_ptr<storage::BlobWriter>> Create() override {
    return std::unique_ptr<storage::BlobWriter>(std::make_unique<Writer>(directory_));
  }
  Result<std::unique_ptr<storage::BlobReader>> Open(std::string_view sha256) override {
    ATELIER_ASSIGN(path, LocalPath(sha256));
    return std::unique_ptr<storage::BlobReader>(std::make_unique<Reader>(path));
  }
  Result<std::filesystem::path> LocalPath(std::string_view sha256) override {
    const auto path = directory_ / std::string(sha256);
    if (sha256.empty() || !std::filesystem::exists(path)) {
      return NotFound("there is no such blob");
    }
    return path;
  }
  Result<uint64_t> Size(std::string_view sha256) override {
    ATELIER_ASSIGN(path, LocalPath(sha256));
    return std::filesystem::file_size(path);
  }
  Status Delete(std::string_view sha256) override {
    std::filesystem::remove(directory_ / std::string(sha256));
    return {};
  }
  Status Sweep() override { return {}; }

  storage::BlobRef Put(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    std::ofstream(directory_ / sha256, std::ios::binary) << bytes;
    return {sha256, bytes.size()};
  }
  SourceFile Source(const std::string& path, const std::string& bytes) { return {path, Put(bytes)}; }
  SourceFile SourceFrom(const std::string& path, const std::filesystem::path& file) {
    std::ostringstream bytes;
    bytes << std::ifstream(file, std::ios::binary).rdbuf();
    return Source(path, bytes.str());
  }

 private:
  class Writer final : public storage::BlobWriter {
   public:
    explicit Writer(std::filesystem::path directory) : directory_(std::move(directory)) {}
    Status Append(std::span<const std::byte> bytes) override {
      content_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return {};
    }
    Result<storage::BlobRef> Commit() override {
      const std::string sha256 = Sha256Hex(content_);
      std::ofstream(directory_ / sha256, std::ios::binary) << content_;
      return storage::BlobRef{sha256, content_.size()};
    }

   private:
    std::filesystem::path directory_;
    std::string content_;
  };

  class Reader final : public storage::BlobReader {
   public:
    explicit Reader(const std::filesystem::path& path)
        : size_(std::filesystem::file_size(path)), file_(path, std::ios::binary) {}
    uint64_t size() const override { return size_; }
    Result<size_t> Read(std::span<std::byte> out) override {
      file_.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
      return static_cast<size_t>(file_.gcount());
    }

   private:
    uint64_t size_;
    std::ifstream file_;
  };

  std::filesystem::path directory_;
};

}  // namespace atelier::data::testing

// Walking through tar and zip archives without ever trusting them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"

namespace atelier::data {

struct ArchiveLimits {
  uint64_t max_total_bytes = 64ULL << 30U;  // of all entries, unpacked
  uint64_t max_entries = 1'000'000;
  uint64_t max_ratio = 100;            // unpacked to packed ...
  uint64_t free_bytes = 16ULL << 20U;  // ... once more than this is unpacked
};

struct ArchiveMember {
  std::string path;   // checked: relative, inside, UTF-8; without "./"
  uint64_t size = 0;  // as declared; 0 where the archive does not say
};

// The regular files of a .tar, .tar.gz, .tar.xz or .zip, told apart by their content, one after another. Nothing is
// written. Errors: kInvalidArgument "unsafe_archive" (links, devices, paths that lead out, names that differ in case
// only, encryption), "invalid_archive" (damaged, empty, another format); kOutOfRange "request_too_large" (bombs).
// Not thread-safe.
class ArchiveReader {
 public:
  // `name` is for messages.
  static Result<std::unique_ptr<ArchiveReader>> Open(const std::filesystem::path& file, std::string name,
                                                     const ArchiveLimits& limits = {});
  virtual ~ArchiveReader() = default;
  virtual Result<std::optional<ArchiveMember>> Next() = 0;  // nullopt: the end
  // Some of the content of the member that Next gave; 0 at its end.
  virtual Result<size_t> Read(std::span<std::byte> out) = 0;
  virtual uint64_t TakePackedBytes() = 0;  // read of the file since the last call
};

struct ArchiveEntry {
  std::string path;
  uint64_t size = 0;
  // The content. Errors: kOutOfRange "request_too_large" (more than max_bytes), kInvalidArgument (damaged).
  std::function<Result<std::string>(uint64_t max_bytes)> read;
};

// Calls `visit` for each regular file, in order; `tell` with the packed bytes read since the last call. Errors: as
// ArchiveReader; the visitor's.
Status WalkArchive(const std::filesystem::path& file, const std::string& name, const ArchiveLimits& limits,
                   const std::function<void(uint64_t)>& tell, const std::function<Status(const ArchiveEntry&)>& visit);

}  // namespace atelier::data

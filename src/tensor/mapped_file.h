// A file in memory, read-only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "base/result.h"

namespace atelier::tensor {

// Owns the map of a regular file. The bytes stay valid as long as the object; whoever cuts the file meanwhile makes the
// process that reads it die of SIGBUS, so model files are mapped from folders that only this program writes.
class MappedFile {
 public:
  // Errors: kNotFound; kInvalidArgument "invalid_model_file" (no regular file, or empty); kInternal (cannot be opened
  // or mapped). Each names the file.
  static Result<MappedFile> Open(const std::filesystem::path& file);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::span<const std::byte> bytes_;
};

}  // namespace atelier::tensor

// Bytes that can be read again from any place: what an upload needs to hash them first and to go on later.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::cli {

// Reading twice gives the same bytes, or an error.
class Source {
 public:
  virtual ~Source() = default;
  virtual uint64_t size() const = 0;
  // Fills `out` from `offset`; offset + out.size() must not exceed size(). Errors: kInvalidArgument "usage" (the file
  // cannot be read, or got shorter).
  virtual Status Read(uint64_t offset, std::span<char> out) = 0;
};

// A file as it is. Errors: kInvalidArgument "usage".
Result<std::unique_ptr<Source>> OpenFile(const std::filesystem::path& path);

struct TarEntry {
  std::string name;  // inside the archive
  std::filesystem::path path;
  uint64_t size = 0;
};

// The files as one uncompressed archive, made while it is read (POSIX.1-1988 ustar; names that do not fit get a pax
// header, POSIX.1-2001). Times and owners are left out, so the same files give the same bytes.
std::unique_ptr<Source> MakeTar(std::vector<TarEntry> entries);

// SHA-256 of `length` bytes from `offset`, in hexadecimal.
Result<std::string> HashRange(Source& source, uint64_t offset, uint64_t length);

}  // namespace atelier::cli

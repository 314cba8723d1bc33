// What the fuzzers share.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/ids.h"
#include "base/result.h"

namespace atelier::fuzz {

inline void Require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

// Every refusal is one that a person can read, and the fault of the file.
inline void CheckError(const Error& error) {
  Require(!error.message.empty() && error.message.size() < 4096 && IsUtf8(error.message) && IsUtf8(error.param));
  Require(error.code != Code::kInternal && error.code != Code::kUnknown);
}

// Bytes as a file that has a path.
class MemoryPath {
 public:
  explicit MemoryPath(std::string_view bytes) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    Require(descriptor_ >= 0 && ::write(descriptor_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  ~MemoryPath() { ::close(descriptor_); }
  MemoryPath(const MemoryPath&) = delete;
  MemoryPath& operator=(const MemoryPath&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

// What stands before the first `mark`, and what stands after it.
inline std::pair<std::string_view, std::string_view> Cut(std::string_view text, char mark) {
  const size_t at = text.find(mark);
  return at == std::string_view::npos ? std::pair(text, std::string_view())
                                      : std::pair(text.substr(0, at), text.substr(at + 1));
}

}  // namespace atelier::fuzz

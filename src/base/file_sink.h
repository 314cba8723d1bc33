// A new file that is written piece by piece and need not outlive a power cut: storage has what does.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>

#include "base/result.h"

namespace atelier {

// Replaces a file of that name. For one thread. Errors of all: kResourceExhausted "storage_full", naming the file.
class FileSink {
 public:
  explicit FileSink(const std::filesystem::path& path);

  Status Write(std::span<const std::byte> bytes);
  Status Close();  // after the last piece; only then all is known to be written

 private:
  Status State() const;

  std::filesystem::path path_;
  std::ofstream stream_;
};

}  // namespace atelier

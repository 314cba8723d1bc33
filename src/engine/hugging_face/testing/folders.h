// Folders for tests.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "engine/importing/import.h"

namespace atelier::engine::hugging_face::testing {

// Two empty folders that go with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/hugging-face-test-XXXXXX";
    path_ = mkdtemp(name);
    std::filesystem::create_directory(path_ / "model");
    std::filesystem::create_directory(path_ / "work");
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path model() const { return path_ / "model"; }
  std::filesystem::path work() const { return path_ / "work"; }

 private:
  std::filesystem::path path_;
};

inline std::vector<ModelSource> SourcesOf(const std::filesystem::path& folder) {
  std::vector<ModelSource> sources;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      sources.push_back({std::filesystem::relative(entry.path(), folder).string(), entry.path()});
    }
  }
  return sources;
}

}  // namespace atelier::engine::hugging_face::testing

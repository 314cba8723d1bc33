// Where a job of this program keeps what it makes until it is stored.
#pragma once

#include <filesystem>
#include <system_error>
#include <utility>

namespace atelier::apps {

// A folder that is there, empty, while the job runs.
class WorkFolder {
 public:
  explicit WorkFolder(std::filesystem::path path) : path_(std::move(path)) {
    Remove();
    std::error_code ignored;
    std::filesystem::create_directories(path_, ignored);
  }
  ~WorkFolder() { Remove(); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  void Remove() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path path_;
};

}  // namespace atelier::apps

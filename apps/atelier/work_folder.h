// Where a job of this program keeps what it makes until it is stored.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/result.h"
#include "storage/blob_store.h"

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

// A model's version as a worker has it: its files ("name": blob, as specifications of jobs hold them) under their names
// in `folder`, which is made. Errors: kInvalidArgument (no such object, a name with folders), those of the store,
// kInternal.
Status LayOut(storage::BlobStore& store, const boost::json::object& files, const std::filesystem::path& folder);

}  // namespace atelier::apps

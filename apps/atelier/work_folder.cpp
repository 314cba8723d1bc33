#include "work_folder.h"

#include "storage/blob_json.h"

namespace atelier::apps {

Status LayOut(storage::BlobStore& store, const boost::json::object& files, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const auto& file : files) {
    const std::filesystem::path name(file.key());
    if (!file.value().is_object() || name.empty() || name != name.filename() || name == "..") {
      return InvalidArgument("the source's files are not as they should be", "files");
    }
    ATELIER_ASSIGN(blob, storage::BlobRefFromJson(file.value().get_object(), "files"));
    ATELIER_ASSIGN(local, store.LocalPath(blob.sha256));
    std::filesystem::create_symlink(std::filesystem::absolute(local), folder / name, error);
    if (error) {
      return Internal("cannot lay out the model: " + error.message());
    }
  }
  return {};
}

}  // namespace atelier::apps

#include "serving/model_folder.h"

#include <atomic>
#include <system_error>

#include "base/hash.h"

namespace atelier::serving {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinished = ".unfinished-";

bool IsPlainName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

bool IsWhole(const fs::path& folder, const registry::ModelVersion& version) {
  for (const auto& [name, blob] : version.files) {
    std::error_code error;
    if (fs::file_size(folder / name, error) != blob.size || error) {
      return false;
    }
  }
  return true;
}

Error DiskError(const fs::path& path, const std::error_code& error) {
  return Internal("cannot write " + path.string() + ": " + error.message());
}

Status Fill(storage::BlobStore& blobs, const fs::path& folder, const registry::ModelVersion& version) {
  for (const auto& [name, blob] : version.files) {
    if (!IsPlainName(name)) {
      return DataLoss("the model version has a file with the name '" + name + "'");
    }
    auto source = blobs.LocalPath(blob.sha256);
    if (!source.ok()) {
      return DataLoss("the model's file " + name + " cannot be read: " + source.error().message);
    }
    std::error_code error;
    fs::create_hard_link(*source, folder / name, error);
    if (error) {
      error.clear();
      fs::copy_file(*source, folder / name, error);
    }
    if (error) {
      return DiskError(folder / name, error);
    }
  }
  return {};
}

}  // namespace

std::string ModelFolderName(const registry::ModelVersion& version) {
  std::string contents;
  for (const auto& [name, blob] : version.files) {
    contents += name + '\0' + blob.sha256 + '\n';
  }
  return version.model_id + "-" + std::to_string(version.version) + "-" + Sha256Hex(contents).substr(0, 12);
}

Result<fs::path> LayOutModel(storage::BlobStore& blobs, const fs::path& root, const registry::ModelVersion& version) {
  if (version.files.empty()) {
    return FailedPrecondition("the model version has no files");
  }
  const fs::path target = root / ModelFolderName(version);
  if (IsWhole(target, version)) {
    return target;
  }
  static std::atomic<uint64_t> serial = 0;  // only tells the layouts of this process apart
  const fs::path folder = root / (std::string(kUnfinished) + std::to_string(serial++) + "-" + ModelFolderName(version));
  std::error_code error;
  fs::remove_all(folder, error);
  fs::create_directories(folder, error);
  if (error) {
    return DiskError(folder, error);
  }
  if (Status status = Fill(blobs, folder, version); !status.ok()) {
    fs::remove_all(folder, error);
    return std::move(status).error();
  }
  fs::rename(folder, target, error);
  if (error && !IsWhole(target, version)) {
    // What is there is damaged; nobody can have loaded it.
    fs::remove_all(target, error);
    fs::rename(folder, target, error);
  }
  if (!IsWhole(target, version)) {
    fs::remove_all(folder, error);
    return Internal("cannot lay out the model at " + target.string());
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return target;
}

void PruneModelFolders(const fs::path& root, const std::set<std::string>& keep) {
  std::error_code error;
  for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (!keep.contains(it->path().filename().string())) {
      std::error_code ignored;
      fs::remove_all(it->path(), ignored);
    }
  }
}

}  // namespace atelier::serving

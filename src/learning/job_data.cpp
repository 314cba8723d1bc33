#include "learning/job_data.h"

#include "base/json.h"

namespace atelier::learning {
Result<JobData> OpenJobData(const json::object& spec) {
  Fields fields(spec);
  ATELIER_ASSIGN(directory, fields.String("blobs"));
  ATELIER_ASSIGN(dataset, fields.ObjectOr("dataset"));
  if (dataset == nullptr) {
    return InvalidArgument("the job names no data set", "dataset");
  }
  Fields dataset_fields(*dataset, "dataset");
  JobData data;
  ATELIER_ASSIGN(name, dataset_fields.String("name"));
  ATELIER_ASSIGN(version, dataset_fields.Int("version", 1, std::numeric_limits<int64_t>::max()));
  ATELIER_ASSIGN(manifest_ref, dataset_fields.ObjectOr("manifest"));
  if (manifest_ref == nullptr) {
    return InvalidArgument("the job names no manifest", "dataset.manifest");
  }
  ATELIER_ASSIGN(sha256, Fields(*manifest_ref, "dataset.manifest").String("sha256"));
  ATELIER_ASSIGN(blobs, storage::OpenFolderBlobStore(directory));
  ATELIER_ASSIGN(manifest, data::LoadManifest(*blobs, sha256));
  ATELIER_ASSIGN(reader, data::Reader::Open(*blobs, manifest));
  ATELIER_ASSIGN(fold, fields.ObjectOr("fold"));
  if (fold != nullptr) {
    ATELIER_TRY(reader->TakeFold({.index = GetInt(*fold, "index"),
                                  .count = GetInt(*fold, "count"),
                                  .seed = static_cast<uint64_t>(GetInt(*fold, "seed"))}));
  }
  return JobData{std::move(blobs), name, version, sha256, std::move(reader)};
}

Result<families::ModelFiles> LocalFiles(storage::BlobStore& blobs, const boost::json::object& files) {
  families::ModelFiles paths;
  for (const auto& file : files) {
    if (!file.value().is_object()) {
      return InvalidArgument("the job's model files are malformed", "model.files");
    }
    ATELIER_ASSIGN(path, blobs.LocalPath(GetString(file.value().get_object(), "sha256")));
    paths[std::string(file.key())] = path;
  }
  return paths;
}

Result<families::ModelFiles> OpenModelFiles(storage::BlobStore& blobs, const boost::json::object& spec,
                                            std::string_view key) {
  const auto* model = spec.if_contains(key);
  const auto* files = model != nullptr && model->is_object() ? model->get_object().if_contains("files") : nullptr;
  if (files == nullptr || !files->is_object()) {
    return InvalidArgument("the job names no model files", std::string(key) + ".files");
  }
  return LocalFiles(blobs, files->get_object());
}

}  // namespace atelier::learning

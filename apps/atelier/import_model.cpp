#include "import_model.h"

#include <system_error>

#include "base/clock.h"
#include "base/json.h"
#include "storage/blob_json.h"

namespace atelier::apps {
namespace {

namespace fs = std::filesystem;

// A folder that is there, empty, while the job runs.
class WorkFolder {
 public:
  explicit WorkFolder(fs::path path) : path_(std::move(path)) {
    Remove();
    std::error_code ignored;
    fs::create_directories(path_, ignored);
  }
  ~WorkFolder() { Remove(); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  void Remove() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path path_;
};

Result<std::vector<ImportSource>> FindSources(storage::BlobStore& store, const json::array& list) {
  std::vector<ImportSource> sources;
  for (const auto& item : list) {
    if (!item.is_object()) {
      return InvalidArgument("a file is no object", "files");
    }
    Fields fields(item.get_object(), "files");
    ATELIER_ASSIGN(name, fields.String("path"));
    ATELIER_ASSIGN(blob, storage::BlobRefFromJson(item.get_object(), "files"));
    ATELIER_ASSIGN(local, store.LocalPath(blob.sha256));
    sources.push_back({{std::move(name), std::move(local)}, std::move(blob)});
  }
  return sources;
}

json::array SourceFiles(const std::vector<ImportSource>& sources) {
  json::array files;
  for (const auto& source : sources) {
    json::object file = storage::ToJson(*source.blob);
    file["path"] = source.model.name;
    files.push_back(std::move(file));
  }
  return files;
}

Result<storage::BlobRef> BlobOf(storage::BlobStore& store, const ImportSource& source) {
  return source.blob.has_value() ? *source.blob : storage::PutFile(store, source.model.file);
}

}  // namespace

Result<json::object> ImportModelJob(jobs::Host& host) {
  Fields fields(host.spec());
  ATELIER_ASSIGN(blob_dir, fields.String("blobs"));
  ATELIER_ASSIGN(list, fields.ArrayOr("files", 100'000));
  if (list == nullptr) {
    return InvalidArgument("the import has no files", "files");
  }
  ATELIER_ASSIGN(store, storage::OpenFolderBlobStore(blob_dir));
  host.Progress({{"stage", "verify"}});
  ATELIER_ASSIGN(sources, FindSources(*store, *list));
  return ImportSources(host, *store, sources, {{"source_files", SourceFiles(sources)}});
}

Result<json::object> ImportSources(jobs::Host& host, storage::BlobStore& store,
                                   const std::vector<ImportSource>& sources, json::object lineage) {
  host.Progress({{"stage", "load"}});
  const WorkFolder work(host.directory() / "work");
  SystemClock clock;
  std::vector<engine::ModelSource> models;
  for (const auto& source : sources) {
    models.push_back(source.model);
  }
  ATELIER_ASSIGN(model, engine::ImportModel(models, work.path(), static_cast<size_t>(host.threads()), clock));
  if (host.cancelled()) {
    return MakeError(Code::kCancelled, "the import was cancelled");
  }
  host.Progress({{"stage", "store"}});
  json::object files;
  for (const auto& [name, from] : model.files) {
    const auto* index = std::get_if<size_t>(&from);
    ATELIER_ASSIGN(
        blob, index != nullptr ? BlobOf(store, sources[*index]) : storage::PutFile(store, std::get<fs::path>(from)));
    files[name] = storage::ToJson(blob);
  }
  // Where the model came from.
  lineage["job_id"] = GetString(host.spec(), "id");
  lineage["code_version"] = GetString(host.spec(), "code_version");
  model.metadata["lineage"] = std::move(lineage);
  return json::object{{"files", std::move(files)}, {"metadata", std::move(model.metadata)}};
}

}  // namespace atelier::apps

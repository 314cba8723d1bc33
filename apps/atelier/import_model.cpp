#include "import_model.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "base/clock.h"
#include "base/json.h"
#include "engine/importing/adapter_import.h"
#include "engine/importing/import.h"
#include "families/word_vectors/model_files.h"
#include "families/word_vectors/word2vec_files.h"
#include "storage/blob_json.h"
#include "work_folder.h"

namespace atelier::apps {
namespace {

namespace fs = std::filesystem;

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

// One file that is called as files of word vectors are.
bool IsWordVectors(const std::vector<engine::ModelSource>& sources) {
  constexpr std::string_view kEndings[] = {".vec", ".txt", ".w2v", ".bin"};
  if (sources.size() != 1) {
    return false;
  }
  std::array<char, 4> magic{};
  std::ifstream(sources[0].file, std::ios::binary).read(magic.data(), magic.size());
  return std::string_view(magic.data(), magic.size()) != "GGUF" &&
         std::ranges::any_of(kEndings, [&](auto ending) { return sources[0].name.ends_with(ending); });
}

Result<engine::ImportedModel> ImportWordVectors(const engine::ModelSource& source, const fs::path& work) {
  namespace wv = families::word_vectors;
  ATELIER_ASSIGN(vectors, wv::ReadWordVectors(source.file));
  ATELIER_TRY(wv::WriteModel({.family = "word2vec", .algorithm = "", .split = {.lowercase = false}}, vectors, work));
  engine::ImportedModel model{.files = {}, .metadata = wv::Describe(vectors)};
  for (const char* name : {"config.json", "model.safetensors", wv::kVocabularyFile}) {
    model.files.emplace(name, work / name);
  }
  model.metadata["family"] = "word2vec";
  model.metadata["format"] = "word2vec";
  return model;
}

// An adapter with the base model that the job names, or else a whole model.
Result<engine::ImportedModel> Import(jobs::Host& host, storage::BlobStore& store,
                                     const std::vector<engine::ModelSource>& sources, const fs::path& work) {
  Fields fields(host.spec());
  ATELIER_ASSIGN(base, fields.ObjectOr("base"));
  if (!engine::IsAdapterSource(sources)) {
    if (base != nullptr) {
      return InvalidArgument("these files are a model of its own, not an adapter: they have no base model", "base");
    }
    if (IsWordVectors(sources)) {
      return ImportWordVectors(sources[0], work);
    }
    SystemClock clock;
    return engine::ImportModel(sources, work, static_cast<size_t>(host.threads()), clock);
  }
  if (base == nullptr) {
    return InvalidArgument("these files are an adapter: name the model that it is for", "base",
                           "missing_required_parameter");
  }
  Fields base_fields(*base, "base");
  ATELIER_ASSIGN(files, base_fields.ObjectOr("files"));
  const WorkFolder folder(host.directory() / "base");
  ATELIER_TRY(LayOut(store, files == nullptr ? json::object() : *files, folder.path()));
  ATELIER_ASSIGN(adapter, engine::ImportAdapter(sources, folder.path(), work));
  adapter.metadata["base"] = {{"model", GetString(*base, "name")}, {"version", GetInt(*base, "version")}};
  return adapter;
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
  std::vector<engine::ModelSource> models;
  for (const auto& source : sources) {
    models.push_back(source.model);
  }
  ATELIER_ASSIGN(model, Import(host, store, models, work.path()));
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

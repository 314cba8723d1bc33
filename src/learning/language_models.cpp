#include "learning/language_models.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "engine/hugging_face/export_folder.h"
#include "engine/importing/adapter_import.h"
#include "engine/importing/import.h"
#include "tensor/gguf.h"

namespace atelier::learning {
namespace {

namespace fs = std::filesystem;

Status MakeFolder(const fs::path& folder) {
  std::error_code failed;
  fs::remove_all(folder, failed);
  fs::create_directories(folder, failed);
  return failed ? Internal("cannot make the folder " + folder.string() + ": " + failed.message()) : Status();
}

std::vector<fs::path> GgufsOf(const families::ModelFiles& files) {
  std::vector<fs::path> ggufs;
  for (const auto& [name, path] : files) {
    if (name.ends_with(".gguf")) {
      ggufs.push_back(path);
    }
  }
  return ggufs;
}

// The base's file of GGUF, alone in a folder.
Status LayOutGguf(const families::ModelFiles& base, const fs::path& folder) {
  ATELIER_TRY(MakeFolder(folder));
  ATELIER_ASSIGN(gguf, GgufOf(base, "base"));
  std::error_code failed;
  fs::create_symlink(fs::absolute(gguf), folder / "model.gguf", failed);
  return failed ? Internal("cannot lay out the base: " + failed.message()) : Status();
}

}  // namespace

bool HasGguf(const families::ModelFiles& files) { return !GgufsOf(files).empty(); }

Result<fs::path> GgufOf(const families::ModelFiles& files, const std::string& role) {
  const auto ggufs = GgufsOf(files);
  if (ggufs.size() != 1) {
    return InvalidArgument("the " + role + " has no single GGUF file", role, "model_not_supported");
  }
  return ggufs.front();
}

Result<families::ModelFiles> AsHuggingFace(const families::ModelFiles& base, const fs::path& work) {
  const auto ggufs = GgufsOf(base);
  if (base.contains(families::kWeightsFile) || ggufs.empty()) {
    return base;
  }
  if (ggufs.size() > 1) {
    return InvalidArgument("a base of several GGUF files cannot be trained further", "base", "model_not_supported");
  }
  ATELIER_TRY(MakeFolder(work));
  ATELIER_ASSIGN(file, tensor::GgufFile::Open(ggufs.front()));
  ATELIER_TRY(engine::hugging_face::ExportFolder(*file, work, {}));
  return families::FilesIn(work);
}

Status AddEngineFile(const EngineInput& input, storage::BlobStore& blobs, families::LearnedModel& model) {
  const std::string family = GetString(model.description, "family");
  const bool adapter = family == "llm-adapter";
  if (family != "llm" && !adapter) {
    return {};
  }
  ATELIER_TRY(MakeFolder(input.work / "out"));
  std::vector<engine::ModelSource> sources;
  for (const auto& [name, ref] : model.files) {
    ATELIER_ASSIGN(path, blobs.LocalPath(ref.sha256));
    sources.push_back({name, path});
  }
  engine::ImportedModel imported;
  if (adapter) {
    ATELIER_TRY(LayOutGguf(input.base, input.work / "base"));
    ATELIER_ASSIGN(made, engine::ImportAdapter(sources, input.work / "base", input.work / "out"));
    imported = std::move(made);
  } else {
    SystemClock clock;
    ATELIER_ASSIGN(made, engine::ImportModel(sources, input.work / "out", static_cast<size_t>(input.threads), clock));
    imported = std::move(made);
  }
  for (const auto& [name, from] : imported.files) {
    if (const auto* path = std::get_if<fs::path>(&from)) {
      ATELIER_ASSIGN(blob, storage::PutFile(blobs, *path));
      model.files[name] = blob;
    }
  }
  for (const auto& member : imported.metadata) {
    model.description[member.key()] = member.value();
  }
  std::error_code ignored;
  fs::remove_all(input.work, ignored);
  return {};
}

}  // namespace atelier::learning

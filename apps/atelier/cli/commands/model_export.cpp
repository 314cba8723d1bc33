// atelier model export
#include <filesystem>
#include <memory>
#include <system_error>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/text.h"
#include "atelier/cli/values.h"
#include "base/json.h"
#include "engine/hugging_face/export_folder.h"
#include "tensor/gguf.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

struct ExportOptions {
  std::string model;
  std::string folder;
  std::string format = "gguf";
};

// A folder that is gone when its work is done.
class ScratchFolder {
 public:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {}
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// The one GGUF file of a version, or the first of its parts.
Result<fs::path> GgufOf(const FetchedVersion& fetched, const std::string& model) {
  const auto* files = fetched.version.if_contains("files");
  for (const auto& file : files != nullptr && files->is_object() ? files->get_object() : json::object()) {
    if (file.key().ends_with(".gguf")) {  // parts come in order
      return fetched.folder / std::string(file.key());
    }
  }
  return MakeError(Code::kUnimplemented, "'" + model + "' has no GGUF file to convert; use --format gguf for its files",
                   "unsupported_model");
}

Result<std::string> CardOf(Session& session, const FetchedVersion& fetched, const std::string& model) {
  const std::string target = "/v1/registry/models/" + PercentEncode(ParseReference(model, "latest").name) +
                             "/versions/" + std::to_string(GetInt(fetched.version, "version")) + "/card";
  ATELIER_ASSIGN(response, session.api.http().Send({.target = target, .accept = "text/markdown"}));
  return response.status == 200 ? response.body : std::string();
}

Status Convert(Session& session, const ExportOptions& options) {
  const fs::path folder = options.folder;
  const ScratchFolder scratch(folder / ".atelier-export");
  ATELIER_ASSIGN(fetched, FetchVersion(session, options.model, scratch.path()));
  ATELIER_ASSIGN(path, GgufOf(fetched, options.model));
  ATELIER_ASSIGN(file, tensor::GgufFile::Open(path));
  ATELIER_ASSIGN(card, CardOf(session, fetched, options.model));
  return engine::hugging_face::ExportFolder(*file, folder, {.card = std::move(card)});
}

Status Export(Session& session, const ExportOptions& options) {
  if (options.format == "gguf") {
    ATELIER_ASSIGN(fetched, FetchVersion(session, options.model, options.folder));
  } else {
    ATELIER_TRY(Convert(session, options));
  }
  if (session.json) {
    PrintJson(json::object{{"folder", options.folder}, {"format", options.format}});
  } else {
    PrintText(Escape(options.model + " is in " + options.folder) + "\n");
  }
  return {};
}

}  // namespace

void AddModelExport(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<ExportOptions>();
  auto* command = group.add_subcommand("export", "Write a model for other programs");
  command->add_option("model", options->model, "NAME, NAME@VERSION or NAME@ALIAS")->required();
  command->add_option("folder", options->folder, "Where to write it")->required();
  command->add_option("--format", options->format, "gguf: the version's files; huggingface: a folder for transformers")
      ->check(CLI::IsMember({"gguf", "huggingface"}))
      ->capture_default_str();
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Export(s, *options); }; });
}

}  // namespace atelier::cli

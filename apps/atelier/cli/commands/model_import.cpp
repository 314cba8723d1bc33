// atelier model import, pull
#include <algorithm>
#include <filesystem>
#include <memory>
#include <regex>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/follow.h"
#include "atelier/cli/progress.h"
#include "atelier/cli/source.h"
#include "atelier/cli/text.h"
#include "atelier/cli/upload.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kLoadTimeoutS = 600;

struct ImportOptions {
  std::vector<std::string> paths;
  std::string name;
  std::string base;
};

// A file and what it is called, with the folders within the model's.
struct ModelFile {
  fs::path path;
  std::string name;
};

std::vector<ModelFile> FilesWith(const fs::path& folder, std::initializer_list<std::string_view> extensions,
                                 const std::string& prefix = "") {
  std::vector<ModelFile> files;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const bool wanted = std::find(extensions.begin(), extensions.end(), at->path().extension()) != extensions.end();
    if (std::error_code ignored; wanted && at->is_regular_file(ignored)) {
      files.push_back({at->path(), prefix + at->path().filename().string()});
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

// What the importer reads of a folder in Hugging Face's layout; empty if it is none.
std::vector<ModelFile> HuggingFaceFiles(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / "config.json", error) || FilesWith(folder, {".safetensors"}).empty()) {
    return {};
  }
  auto files = FilesWith(folder, {".json", ".safetensors", ".txt", ".jinja"});
  if (fs::exists(folder / "modules.json", error)) {
    const auto pooling = FilesWith(folder / "1_Pooling", {".json"}, "1_Pooling/");
    files.insert(files.end(), pooling.begin(), pooling.end());
  }
  return files;
}

// Files as they are; of a folder an adapter's two files, its GGUF files, or else what Hugging Face's layout has, or
// else its checkpoints.
Result<std::vector<ModelFile>> ModelFilesOf(const std::vector<std::string>& paths) {
  std::vector<ModelFile> files;
  for (const std::string& text : paths) {
    std::error_code error;
    if (!fs::is_directory(text, error)) {
      files.push_back({text, fs::path(text).filename().string()});
      continue;
    }
    if (fs::exists(fs::path(text) / "adapter_config.json", error)) {
      for (const char* name : {"adapter_config.json", "adapter_model.safetensors"}) {
        files.push_back({fs::path(text) / name, name});
      }
      continue;
    }
    auto found = FilesWith(text, {".gguf"});
    found = found.empty() ? HuggingFaceFiles(text) : std::move(found);
    found = found.empty() ? FilesWith(text, {".bin"}) : std::move(found);
    if (found.empty()) {
      return Usage("the folder '" + text + "' holds no GGUF file, no config.json with safetensors and no checkpoint",
                   "path");
    }
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

// "story-00001-of-00002.gguf" is the model "story".
std::string NameOf(const std::string& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  const fs::path named = whole.has_filename() ? whole : whole.parent_path();
  std::error_code error;
  const std::string stem = fs::is_directory(named, error) ? named.filename().string() : named.stem().string();
  return std::regex_replace(stem, std::regex("-[0-9]{5}-of-[0-9]{5}$"), "");
}

// What the job made.
Status PrintMade(const Session& session, const json::object& job) {
  if (session.json) {
    PrintJson(job);
    return {};
  }
  const auto& result = ObjectIn(job, "result");
  const auto& metadata = ObjectIn(result, "metadata");
  const auto& base = ObjectIn(metadata, "base");
  if (metadata.contains("dimensions")) {
    PrintText(Escape(Cell(result, "model") + "@" + Cell(result, "version") + "  " + Cell(metadata, "words") +
                     " words of " + Cell(metadata, "dimensions") + " dimensions") +
              "\n");
    return {};
  }
  const std::string rest = base.empty() ? Cell(metadata, "quantisation") + "  context " + Cell(metadata, "context")
                                        : "adapter of " + Cell(base, "model") + "@" + Cell(base, "version");
  PrintText(Escape(Cell(result, "model") + "@" + Cell(result, "version") + "  " + Cell(metadata, "architecture") +
                   "  " + Cell(metadata, "parameters") + " parameters  " + rest) +
            "\n");
  return {};
}

Status Import(Session& session, const ImportOptions& options) {
  ATELIER_ASSIGN(paths, ModelFilesOf(options.paths));
  const std::string name = options.name.empty() ? NameOf(options.paths.front()) : options.name;
  Progress progress(stderr);
  json::array files;
  for (const auto& [path, file] : paths) {
    ATELIER_ASSIGN(source, OpenFile(path));
    ATELIER_ASSIGN(id, SendFile(session.api, path.filename().string(), *source, progress));
    files.push_back(json::object{{"file_id", id}, {"path", file}});
  }
  progress.Clear();
  json::object request{{"kind", "import_model"}, {"model", name}, {"files", std::move(files)}};
  if (!options.base.empty()) {
    request["base"] = options.base;
  }
  ATELIER_ASSIGN(job, session.api.Post("/v1/jobs", request));
  ATELIER_ASSIGN(done, FollowJob(session.api, GetString(job, "id"), progress));
  return PrintMade(session, done);
}

struct PullOptions {
  std::string source;
  std::string name;
  bool deploy = false;
};

Status Pull(Session& session, const PullOptions& options) {
  json::object request{{"kind", "pull_model"}, {"source", options.source}};
  if (!options.name.empty()) {
    request["model"] = options.name;
  }
  if (options.deploy) {
    request["deploy"] = true;
  }
  ATELIER_ASSIGN(job, session.api.Post("/v1/jobs", request));
  Progress progress(stderr);
  ATELIER_ASSIGN(done, FollowJob(session.api, GetString(job, "id"), progress));
  const std::string deployment = GetString(ObjectIn(done, "result"), "deployment");
  if (!deployment.empty()) {
    ATELIER_TRY(WaitReady(session, deployment, kLoadTimeoutS));
  }
  ATELIER_TRY(PrintMade(session, done));
  if (!deployment.empty() && !session.json) {
    PrintText("deployed as " + Escape(deployment) + "\n");
  }
  return {};
}

}  // namespace

void AddModelImport(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<ImportOptions>();
  auto* command = group.add_subcommand("import", "Send a model's files, check them and register the model");
  command
      ->add_option(
          "path", options->paths,
          "A GGUF file, the parts of a split one, a llama2.c checkpoint with its tokeniser, a folder of these, or one "
          "in Hugging Face's layout; a LoRA adapter as a GGUF file or PEFT's folder; word2vec's .vec, .txt or .bin")
      ->required();
  command->add_option("--name", options->name, "Name of the model; default: that of the file or folder");
  command->add_option("--base", options->base, "Of an adapter: the model that it is for, NAME or NAME@VERSION");
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Import(s, *options); }; });
}

void AddModelPull(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<PullOptions>();
  auto* command = group.add_subcommand("pull", "Let the server fetch a model from a hub, check it and register it");
  command
      ->add_option("source", options->source,
                   "hf:ORG/NAME[:FILE][@REVISION], modelscope:ORG/NAME[:FILE][@REVISION], ollama:NAME[:TAG], or "
                   "https://... ; FILE may be a quantisation such as Q4_K_M")
      ->required();
  command->add_option("--as", options->name, "Name of the model; default: that of the repository or file");
  command->add_flag("--deploy", options->deploy, "Deploy it under its name, and wait until it answers");
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Pull(s, *options); }; });
}

}  // namespace atelier::cli

// atelier model list|show|alias|delete|card|download; the others have files of their own
#include <filesystem>
#include <fstream>
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/progress.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/values.h"
#include "base/hash.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

std::string ModelTarget(const std::string& name) { return "/v1/registry/models/" + PercentEncode(name); }

std::string VersionTarget(const Reference& reference) {
  return ModelTarget(reference.name) + "/versions/" + PercentEncode(reference.reference);
}

std::string AliasText(const json::object& model) {
  std::string text;
  for (const auto& alias : ObjectIn(model, "aliases")) {
    text += (text.empty() ? "" : ", ") + std::string(alias.key()) + "=" + CellOf(alias.value());
  }
  return text;
}

json::object LatestVersion(const json::object& model) {
  for (const auto& version : ArrayIn(model, "versions")) {
    if (version.is_object() && GetInt(version.get_object(), "version") == GetInt(model, "latest_version")) {
      return version.get_object();
    }
  }
  return {};
}

Status List(Session& session) {
  ATELIER_ASSIGN(models, session.api.List("/v1/registry/models"));
  if (session.json) {
    PrintJson(models);
    return {};
  }
  Table table({"NAME", "VERSION", "FAMILY", "TASK", "ALIASES", "METRICS", "CREATED"});
  for (const auto& item : models) {
    const auto& model = item.as_object();
    const json::object latest = LatestVersion(model);
    table.Add({Cell(model, "name"), Cell(model, "latest_version"), Cell(latest, "family"), Cell(latest, "task"),
               AliasText(model), MetricsLine(ObjectIn(latest, "metrics"), 3), TimeCell(model, "created_at")});
  }
  PrintText(table.Text());
  return {};
}

void PrintModel(const json::object& model) {
  Table table({"VERSION", "FAMILY", "TASK", "METRICS", "CREATED", "WEIGHTS"});
  for (const auto& item : ArrayIn(model, "versions")) {
    if (const auto* version = item.if_object()) {
      table.Add({Cell(*version, "version"), Cell(*version, "family"), Cell(*version, "task"),
                 MetricsLine(ObjectIn(*version, "metrics"), 4), TimeCell(*version, "created_at"),
                 Cell(*version, "weights_sha256").substr(0, 12)});
    }
  }
  const std::string aliases = AliasText(model);
  PrintText(Escape(Cell(model, "name") + (aliases.empty() ? "" : "  (" + aliases + ")")) + "\n\n" + table.Text());
}

Status Show(Session& session, const std::string& text) {
  const Reference reference = ParseReference(text, "");
  ATELIER_ASSIGN(answer,
                 session.api.Get(reference.reference.empty() ? ModelTarget(reference.name) : VersionTarget(reference)));
  if (session.json) {
    PrintJson(answer);
  } else if (reference.reference.empty()) {
    PrintModel(answer);
  } else {
    PrintText(Escape(PrettyJson(answer), Lines::kKeep));
  }
  return {};
}

struct AliasOptions {
  std::string model, alias;
  int64_t version = 0;
  bool remove = false;
};

Status Alias(Session& session, const AliasOptions& options) {
  const std::string target = ModelTarget(options.model) + "/aliases/" + PercentEncode(options.alias);
  if (options.remove == (options.version != 0)) {
    return InvalidArgument("give either a VERSION or --delete", "version", "usage");
  }
  ATELIER_ASSIGN(answer,
                 options.remove ? session.api.Delete(target) : session.api.Put(target, {{"version", options.version}}));
  if (session.json) {
    PrintJson(answer);
    return {};
  }
  const std::string name = options.model + "@" + options.alias;
  PrintText(Escape(options.remove ? "deleted " + name : name + " is version " + std::to_string(options.version)) +
            "\n");
  return {};
}

Status Delete(Session& session, const std::string& name) {
  ATELIER_ASSIGN(answer, session.api.Delete(ModelTarget(name)));
  if (session.json) {
    PrintJson(answer);
  } else {
    PrintText("deleted " + Escape(name) + "\n");
  }
  return {};
}

Status Card(Session& session, const std::string& text) {
  const HttpRequest request{.target = VersionTarget(ParseReference(text, "latest")) + "/card",
                            .accept = "text/markdown"};
  ATELIER_ASSIGN(response, session.api.http().Send(request));
  if (response.status != 200) {
    return ErrorOfAnswer(response);
  }
  PrintText(Escape(response.body, Lines::kKeep));
  return {};
}

struct RemoteFile {
  std::string name;
  std::string sha256;
  uint64_t size = 0;
};

// `files` of a version: {"name":{"sha256","size"}} or a list of objects with a name.
std::vector<RemoteFile> FilesOf(const json::object& version) {
  std::vector<RemoteFile> files;
  const auto add = [&](std::string name, const json::value& value) {
    if (const auto* file = value.if_object()) {
      files.push_back({std::move(name), GetString(*file, "sha256"), static_cast<uint64_t>(GetInt(*file, "size"))});
    }
  };
  for (const auto& member : ObjectIn(version, "files")) {
    add(std::string(member.key()), member.value());
  }
  for (const auto& item : ArrayIn(version, "files")) {
    if (item.is_object()) {
      add(GetString(item.get_object(), "name", GetString(item.get_object(), "path")), item);
    }
  }
  return files;
}

Error CannotWrite(const fs::path& path) { return InvalidArgument("cannot write '" + path.string() + "'", "", "usage"); }

// Written under another name first and verified, so that a file under its own name is whole.
Status DownloadFile(Session& session, const std::string& target, const RemoteFile& file, const fs::path& folder) {
  if (file.name.empty() || fs::path(file.name).filename().string() != file.name || file.name.starts_with('.')) {
    return DataLoss("the server names a file '" + file.name + "', which is refused");
  }
  const fs::path path = folder / file.name;
  const fs::path part = folder / (file.name + ".part");
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  Sha256 hash;
  uint64_t done = 0;
  Progress progress(stderr);
  const Rate rate;
  ATELIER_ASSIGN(response,
                 session.api.http().Send({.target = target, .accept = "*/*"}, [&](std::string_view bytes) -> Status {
                   hash.Update(bytes);
                   done += bytes.size();
                   if (!out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
                     return CannotWrite(part);
                   }
                   progress.Update(file.name + " " + rate.Describe(done, std::max(file.size, done)));
                   return {};
                 }));
  if (response.status != 200) {
    return ErrorOfAnswer(response);
  }
  out.close();
  if (!out) {
    return CannotWrite(part);
  }
  if (const std::string sha256 = hash.Finish(); sha256 != file.sha256) {
    std::error_code ignored;
    fs::remove(part, ignored);
    return MakeError(Code::kDataLoss, "'" + file.name + "' arrived changed", "checksum_mismatch");
  }
  std::error_code ec;
  fs::rename(part, path, ec);
  return ec ? Status(CannotWrite(path)) : Status();
}

Status Download(Session& session, const std::string& text, const std::string& to) {
  ATELIER_ASSIGN(fetched, FetchVersion(session, text, to));
  const auto& [folder, version] = fetched;
  if (session.json) {
    PrintJson(json::object{{"folder", folder.string()},
                           {"files", version.contains("files") ? version.at("files") : json::value()}});
    return {};
  }
  Table table({"FILE", "SIZE", "SHA-256"});
  for (const auto& file : FilesOf(version)) {
    table.Add({(folder / file.name).string(), HumanBytes(static_cast<double>(file.size)), file.sha256});
  }
  PrintText(table.Text());
  return {};
}

void AddAlias(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<AliasOptions>();
  auto* command = group.add_subcommand("alias", "Let an alias name a version");
  command->add_option("model", options->model, "Name of the model")->required();
  command->add_option("alias", options->alias, "Name of the alias, e.g. production")->required();
  command->add_option("version", options->version, "Number of the version")->check(CLI::PositiveNumber);
  command->add_flag("--delete", options->remove, "Remove the alias");
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Alias(s, *options); }; });
}

}  // namespace

Result<FetchedVersion> FetchVersion(Session& session, const std::string& text, const fs::path& to) {
  Reference reference = ParseReference(text, "latest");
  ATELIER_ASSIGN(version, session.api.Get(VersionTarget(reference)));
  // "latest" and aliases may move while files are fetched; the number cannot.
  reference.reference = std::to_string(GetInt(version, "version"));
  const fs::path folder = to.empty() ? fs::path(reference.name + "-" + reference.reference) : to;
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) {
    return CannotWrite(folder);
  }
  for (const auto& file : FilesOf(version)) {
    ATELIER_TRY(DownloadFile(session, VersionTarget(reference) + "/files/" + PercentEncode(file.name), file, folder));
  }
  return FetchedVersion{folder, std::move(version)};
}

void AddModelCommands(CLI::App& app, Selection& selection) {
  auto* group = app.add_subcommand("model", "Models, their versions and aliases");
  group->require_subcommand(1);
  group->add_subcommand("list", "List the models")->callback([&selection] { selection.run = List; });
  auto name = std::make_shared<std::string>();
  const auto add = [&](const char* word, const char* help, Status (*run)(Session&, const std::string&)) {
    auto* command = group->add_subcommand(word, help);
    command->add_option("model", *name, "NAME, NAME@VERSION or NAME@ALIAS")->required();
    command->callback([&selection, name, run] { selection.run = [name, run](Session& s) { return run(s, *name); }; });
  };
  add("show", "Show the versions of a model, or one version with its lineage", Show);
  add("delete", "Delete a model with all its versions", Delete);
  add("card", "Print the model card (Markdown)", Card);
  AddAlias(*group, selection);
  AddModelImport(*group, selection);
  AddModelQuantize(*group, selection);
  AddModelTokenize(*group, selection);
  AddModelPull(*group, selection);
  AddModelExport(*group, selection);
  auto to = std::make_shared<std::string>();
  auto* download = group->add_subcommand("download", "Fetch the files of a version");
  download->add_option("model", *name, "NAME, NAME@VERSION or NAME@ALIAS")->required();
  download->add_option("--to", *to, "Folder; default: NAME-VERSION");
  download->callback(
      [&selection, name, to] { selection.run = [name, to](Session& s) { return Download(s, *name, *to); }; });
}

}  // namespace atelier::cli

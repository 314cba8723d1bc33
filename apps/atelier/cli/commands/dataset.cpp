// atelier dataset add|list|show|delete
#include <memory>

#include "atelier/cli/collect.h"
#include "atelier/cli/commands/commands.h"
#include "atelier/cli/dataset_version.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/upload.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct AddOptions {
  std::string name;
  std::vector<std::string> paths;
  std::string format, target, task, delimiter, header, quote, unit, pattern, encoding, split;
  std::vector<std::string> types, columns;
  int64_t skip_lines = 0;
  int64_t seed = 0;
  CLI::Option* skip_lines_given = nullptr;
  CLI::Option* seed_given = nullptr;
  bool no_stratify = false;
};

// The words that stand for characters which are hard to type.
std::string DelimiterFromWord(const std::string& word) {
  return word == "tab" || word == "\\t" ? "\t" : word == "space" ? " " : word == "comma" ? "," : word;
}

Result<json::object> ImportRequest(const AddOptions& options) {
  json::object request{{"name", options.name}};
  const std::pair<const char*, std::string> texts[] = {
      {"format", options.format},    {"target", options.target},
      {"task", options.task},        {"delimiter", DelimiterFromWord(options.delimiter)},
      {"header", options.header},    {"quote", options.quote},
      {"unit", options.unit},        {"pattern", options.pattern},
      {"encoding", options.encoding}};
  for (const auto& [key, value] : texts) {
    if (!value.empty()) {
      request[key] = value;
    }
  }
  if (options.skip_lines_given->count() > 0) {
    request["skip_lines"] = options.skip_lines;
  }
  if (options.seed_given->count() > 0) {
    request["seed"] = options.seed;
  }
  if (!options.split.empty()) {
    ATELIER_ASSIGN(fractions, ParseFractions(options.split));
    request["split"] = std::move(fractions);
  }
  if (options.no_stratify) {
    request["stratify"] = false;
  }
  if (!options.columns.empty()) {
    request["columns"] = json::array(options.columns.begin(), options.columns.end());
  }
  json::object types;
  for (const auto& text : options.types) {
    const size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      return InvalidArgument("'" + text + "' must be COLUMN=number|category|text|lines", "type", "usage");
    }
    types[text.substr(0, equals)] = text.substr(equals + 1);
  }
  if (!types.empty()) {
    request["types"] = std::move(types);
  }
  return request;
}

Status Add(Session& session, const AddOptions& options) {
  ATELIER_ASSIGN(request, ImportRequest(options));
  ATELIER_ASSIGN(collection, Collect(options.paths));
  Progress progress(stderr);
  for (const auto& name : collection.skipped) {
    progress.Print("left out " + name);
  }
  json::array files;
  for (const auto& file : collection.files) {
    ATELIER_ASSIGN(id, SendFile(session.api, file.path, *file.source, progress));
    files.push_back(json::object{{"file_id", id}, {"path", file.path}});
  }
  progress.Clear();
  request["files"] = std::move(files);
  ATELIER_ASSIGN(job, session.api.Post("/v1/datasets", request));
  return FinishVersion(session, job, options.name);
}

Status List(Session& session) {
  ATELIER_ASSIGN(items, session.api.List("/v1/datasets"));
  if (session.json) {
    PrintJson(items);
    return {};
  }
  Table table({"NAME", "VERSION", "ROWS", "CREATED", "ID"});
  for (const auto& item : items) {
    const auto& dataset = item.as_object();
    const int64_t latest = GetInt(dataset, "latest_version");
    std::string rows = "-";
    for (const auto& version : ArrayIn(dataset, "versions")) {
      if (version.is_object() && GetInt(version.get_object(), "version") == latest) {
        rows = Cell(version.get_object(), "rows");
      }
    }
    table.Add(
        {Cell(dataset, "name"), std::to_string(latest), rows, TimeCell(dataset, "created_at"), Cell(dataset, "id")});
  }
  PrintText(table.Text());
  return {};
}

Status Show(Session& session, const std::string& text) {
  const Reference reference = ParseReference(text, "latest");
  ATELIER_ASSIGN(version, GetVersion(session, reference.name, reference.reference));
  if (session.json) {
    PrintJson(version);
  } else {
    PrintVersion(version);
  }
  return {};
}

Status Delete(Session& session, const std::string& name) {
  ATELIER_ASSIGN(answer, session.api.Delete("/v1/datasets/" + PercentEncode(name)));
  if (session.json) {
    PrintJson(answer);
  } else {
    PrintText("deleted " + Escape(name) + "\n");
  }
  return {};
}

void AddAdd(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<AddOptions>();
  auto* command = group.add_subcommand("add", "Send files and make a data set, or its next version");
  command->add_option("name", options->name, "Name of the data set")->required();
  command
      ->add_option("path", options->paths,
                   "Files, or folders of files (CSV, TSV, JSON, texts, pictures ..., also with .gz, tar, zip)")
      ->required();
  command->add_option(
      "--format", options->format,
      "auto, csv, tsv, jsonl, json, xml, text, labelled, pattern, conll, tagged, parallel, idx, images, audio");
  command->add_option("--target", options->target, "The column to predict");
  command->add_option("--task", options->task, "classification, regression or none");
  command->add_option("--delimiter", options->delimiter, "Of CSV: one character, or tab, space, comma");
  command->add_option("--header", options->header, "Of CSV: auto, yes or no");
  command->add_option("--quote", options->quote, "Of CSV: whether fields may stand in quotes: auto, yes or no");
  command->add_option("--columns", options->columns, "Names of the columns, where the files give none: a,b,c")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--unit", options->unit, "Of texts: what a row is: document, paragraph or line");
  command->add_option("--pattern", options->pattern, "Of lines: a regular expression whose named groups are columns");
  command->add_option("--encoding", options->encoding, "Of texts that are not UTF-8: gb18030, big5, latin-1 ...");
  options->skip_lines_given =
      command->add_option("--skip-lines", options->skip_lines, "Of CSV: lines before the header or the first row");
  command->add_option("--type", options->types, "COLUMN=number|category|text|lines; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--split", options->split, "Fractions of train,validation,test, e.g. 0.8,0.1,0.1");
  options->seed_given = command->add_option("--seed", options->seed, "Seed of the split");
  command->add_flag("--no-stratify", options->no_stratify, "Split without keeping the shares of the labels");
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Add(s, *options); }; });
}

}  // namespace

void AddDatasetCommands(CLI::App& app, Selection& selection) {
  auto* group = app.add_subcommand("dataset", "Data sets and their versions");
  group->require_subcommand(1);
  AddAdd(*group, selection);
  group->add_subcommand("list", "List the data sets")->callback([&selection] { selection.run = List; });
  auto name = std::make_shared<std::string>();
  auto* show = group->add_subcommand("show", "Show the columns and the split of a version");
  show->add_option("dataset", *name, "NAME or NAME@VERSION")->required();
  show->callback([&selection, name] { selection.run = [name](Session& s) { return Show(s, *name); }; });
  AddDatasetProcess(*group, selection);
  AddDatasetTraffic(*group, selection);
  auto* remove = group->add_subcommand("delete", "Delete a data set with all its versions");
  remove->add_option("name", *name, "Name of the data set")->required();
  remove->callback([&selection, name] { selection.run = [name](Session& s) { return Delete(s, *name); }; });
}

}  // namespace atelier::cli

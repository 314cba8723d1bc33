// atelier dataset process|split|steps
#include <fstream>
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/dataset_version.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/url.h"
#include "atelier/cli/values.h"
#include "atelier/cli/yaml.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct ProcessOptions {
  std::string dataset, file, as;
  int64_t preview = 0;
  CLI::Option* preview_given = nullptr;
  bool follow = false;
};

Result<std::string> ReadFile(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return file.good() || file.eof() ? Result<std::string>(std::move(text)) : Usage(name + " cannot be read");
}

// {"steps", "seed"} of a file that holds these, or the list of steps alone.
Result<json::object> ReadSteps(const std::string& name) {
  ATELIER_ASSIGN(text, ReadFile(name));
  ATELIER_ASSIGN(value, ParseYaml(text, name));
  if (value.is_array()) {
    return json::object{{"steps", std::move(value)}};
  }
  if (!value.is_object()) {
    return Usage(name + " must hold a list of steps, or 'steps' and 'seed'");
  }
  return std::move(value.get_object());
}

// The version wanted, where the reference names one.
Status AddVersion(Session& session, const Reference& reference, json::object& request) {
  if (!reference.reference.empty()) {
    ATELIER_ASSIGN(version, GetVersion(session, reference.name, reference.reference));
    request["version"] = GetInt(version, "version");
  }
  return {};
}

void PrintPreview(const json::object& preview) {
  std::vector<std::string> header{"SPLIT"};
  for (const auto& column : ArrayIn(preview, "columns")) {
    header.push_back(column.is_object() ? Cell(column.get_object(), "name") : "");
  }
  Table table(header);
  const auto& splits = ArrayIn(preview, "splits");
  const auto& rows = ArrayIn(preview, "rows");
  for (size_t i = 0; i < rows.size() && i < splits.size(); ++i) {
    std::vector<std::string> cells{CellOf(splits[i])};
    for (size_t column = 1; rows[i].is_object() && column < header.size(); ++column) {
      cells.push_back(Fit(Cell(rows[i].get_object(), header[column]), 40));
    }
    table.Add(std::move(cells));
  }
  PrintText(table.Text());
  for (const auto& step : ArrayIn(ObjectIn(preview, "report"), "steps")) {
    if (step.is_object()) {
      std::fprintf(stderr, "%s: %s -> %s rows\n", Escape(Cell(step.get_object(), "step")).c_str(),
                   Cell(step.get_object(), "rows_in").c_str(), Cell(step.get_object(), "rows_out").c_str());
    }
  }
}

Status Preview(Session& session, const ProcessOptions& options, const std::string& path, json::object request) {
  request["rows"] = options.preview;
  ATELIER_ASSIGN(preview, session.api.Post(path + "/preview", request));
  if (session.json) {
    PrintJson(preview);
  } else {
    PrintPreview(preview);
  }
  return {};
}

Status Process(Session& session, const ProcessOptions& options) {
  const Reference reference = ParseReference(options.dataset, "");
  const std::string path = "/v1/datasets/" + PercentEncode(reference.name);
  json::object request;
  if (!options.file.empty()) {
    ATELIER_ASSIGN(read, ReadSteps(options.file));
    request = std::move(read);
  }
  ATELIER_TRY(AddVersion(session, reference, request));
  if (options.preview_given->count() > 0) {
    return Preview(session, options, path, std::move(request));
  }
  if (options.file.empty()) {
    return Usage("--steps FILE is missing");
  }
  if (!options.as.empty()) {
    request["as"] = options.as;
  }
  ATELIER_ASSIGN(job, session.api.Post(path + "/process", request));
  if (options.follow) {
    return FinishVersion(session, job, options.as.empty() ? reference.name : options.as);
  }
  if (session.json) {
    PrintJson(job);
    return {};
  }
  const std::string id = Escape(GetString(job, "id"));
  PrintText(id + "\n");
  std::fprintf(stderr, "follow it with: atelier job follow %s\n", id.c_str());
  return {};
}

struct SplitOptions {
  std::string dataset, fractions, by, column;
  int64_t seed = 1;
  int64_t folds = 0, fold = 0;
  bool no_stratify = false;
};

Status Split(Session& session, const SplitOptions& options) {
  const Reference reference = ParseReference(options.dataset, "");
  json::object request{{"seed", options.seed}};
  if (!options.fractions.empty()) {
    ATELIER_ASSIGN(fractions, ParseFractions(options.fractions));
    request["fractions"] = std::move(fractions);
  }
  if (options.folds > 0) {
    request["folds"] = options.folds;
    request["fold"] = options.fold;
  }
  if (!options.column.empty()) {
    request["column"] = options.column;
  }
  if (!options.by.empty() || options.no_stratify) {
    request["by"] = options.by.empty() ? "random" : options.by;
  }
  ATELIER_TRY(AddVersion(session, reference, request));
  ATELIER_ASSIGN(job, session.api.Post("/v1/datasets/" + PercentEncode(reference.name) + "/split", request));
  return FinishVersion(session, job, reference.name);
}

Status Steps(Session& session) {
  ATELIER_ASSIGN(steps, session.api.Get("/v1/steps"));
  if (session.json) {
    PrintJson(steps);
    return {};
  }
  Table table({"STEP", "PARAMETER", "DEFAULT", "WHAT"});
  for (const auto& item : ArrayIn(steps, "data")) {
    const auto& step = item.as_object();
    table.Add({Cell(step, "step"), "", "", Cell(step, "help")});
    for (const auto& entry : ArrayIn(step, "parameters")) {
      const auto& parameter = entry.as_object();
      std::string help = Cell(parameter, "help");
      if (parameter.contains("choices")) {
        help += " (" + Cell(parameter, "choices") + ")";
      }
      table.Add({"", Cell(parameter, "name"),
                 GetBool(parameter, "required") ? "required" : json::serialize(parameter.at("default")), help});
    }
  }
  PrintText(table.Text());
  return {};
}

}  // namespace

void AddDatasetProcess(CLI::App& group, Selection& selection) {
  auto process = std::make_shared<ProcessOptions>();
  auto* command = group.add_subcommand("process", "Make a new version by a list of steps; prints the job's id");
  command->add_option("dataset", process->dataset, "NAME or NAME@VERSION")->required();
  command->add_option("--steps", process->file, "YAML or JSON file with the steps (see: atelier dataset steps)");
  command->add_option("--as", process->as, "Make it a version of another data set");
  process->preview_given =
      command->add_option("--preview", process->preview, "Only show what the steps make of the first N rows");
  command->add_flag("--follow", process->follow, "Show the progress and wait for the end");
  command->callback([&selection, process] { selection.run = [process](Session& s) { return Process(s, *process); }; });

  auto split = std::make_shared<SplitOptions>();
  command = group.add_subcommand("split", "Make a new version with another split");
  command->add_option("dataset", split->dataset, "NAME or NAME@VERSION")->required();
  command->add_option("fractions", split->fractions, "train,validation,test, e.g. 0.8,0.1,0.1");
  command->add_option("--by", split->by, "random, stratified, group or time; else by the labels where there are any");
  command->add_option("--column", split->column, "The column to go by; else the target");
  command->add_option("--folds", split->folds, "Instead of fractions: divide the rows outside the test split into K");
  command->add_option("--fold", split->fold, "The part that validates, from 1");
  command->add_option("--seed", split->seed, "Seed of the split");
  command->add_flag("--no-stratify", split->no_stratify, "The same as --by random");
  command->callback([&selection, split] { selection.run = [split](Session& s) { return Split(s, *split); }; });

  group.add_subcommand("steps", "List the processing steps and their parameters")->callback([&selection] {
    selection.run = Steps;
  });
}

}  // namespace atelier::cli

// atelier train
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/start_job.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct TrainOptions {
  std::string family, dataset, model, base;
  std::vector<std::string> settings;
  int64_t folds = 0;
  bool follow = false;
};

// "0.9321 +- 0.0041" of each metric over the folds.
std::string FoldsTable(const json::object& result) {
  Table table({"METRIC", "MEAN", "STANDARD DEVIATION", "FOLDS"});
  for (const auto& member : ObjectIn(result, "metrics")) {
    if (const auto* one = member.value().if_object()) {
      std::string values;
      for (const auto& value : ArrayIn(*one, "values")) {
        values += (values.empty() ? "" : "  ") + CellOf(value);
      }
      table.Add({std::string(member.key()), Cell(*one, "mean"), Cell(*one, "standard_deviation"), values});
    }
  }
  return table.Text();
}

Status Train(Session& session, const TrainOptions& options) {
  ATELIER_ASSIGN(settings, ParseSettings(options.settings));
  json::object request{
      {"kind", "train"}, {"family", options.family}, {"dataset", options.dataset}, {"settings", std::move(settings)}};
  if (!options.model.empty()) {
    request["model"] = options.model;
  }
  if (options.folds > 0) {
    request["folds"] = options.folds;
  }
  if (!options.base.empty()) {
    request["base"] = options.base;
  }
  const std::string what = options.folds > 0 ? "cross-validating " + options.family : "training " + options.model;
  ATELIER_ASSIGN(done, StartJob(session, request, {.what = what + " on " + options.dataset, .follow = options.follow}));
  if (!done) {
    return {};
  }
  const auto& result = ObjectIn(*done, "result");
  if (options.folds > 0) {
    PrintText("\n" + FoldsTable(result));
    return {};
  }
  PrintText("\n" + Escape(Cell(result, "model") + "@" + Cell(result, "version")) + "\n\n" +
            MetricsTable(ObjectIn(result, "metrics")));
  return {};
}

}  // namespace

void AddTrainCommands(CLI::App& app, Selection& selection) {
  auto train = std::make_shared<TrainOptions>();
  auto* command = app.add_subcommand("train", "Train a model on a data set; prints the job's id");
  command->add_option("family", train->family, "Kind of model: mlp, cnn ... (see GET /v1/families)")->required();
  command->add_option("--data", train->dataset, "NAME or NAME@VERSION of the data set")->required();
  auto* name = command->add_option("--name", train->model, "Name of the model");
  command->add_option("--folds", train->folds, "Cross-validate with so many folds instead; makes no model")
      ->check(CLI::Range(2, 100));
  command->add_option("--base", train->base, "NAME or NAME@VERSION of a model to go on from");
  command->add_option("--set", train->settings, "Setting as key=value, e.g. layers=128,128 epochs=5; may be repeated");
  command->add_flag("--follow", train->follow, "Show the progress and wait for the end");
  command->callback([&selection, train, name] {
    if (train->folds == 0 && name->count() == 0) {
      throw CLI::RequiredError("--name");
    }
    selection.run = [train](Session& s) { return Train(s, *train); };
  });
}

}  // namespace atelier::cli

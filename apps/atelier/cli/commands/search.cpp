// atelier search
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/start_job.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct SearchOptions {
  std::string family, dataset, model, metric;
  std::string strategy = "random";
  std::vector<std::string> settings, space;
  int64_t trials = 20;
  int64_t seed = 1;
  int64_t factor = 3;
  int64_t parallel = 1;
  bool follow = false;
};

std::string TrialsTable(const json::object& search) {
  Table table({"TRIAL", "EPOCHS", Cell(search, "metric"), "STATUS", "SETTINGS"});
  for (const auto& item : ArrayIn(search, "trials")) {
    const auto& trial = item.as_object();
    const int64_t epochs = GetInt(trial, "epochs");
    table.Add({Cell(trial, "trial"), epochs > 0 ? std::to_string(epochs) : "-", Cell(trial, "value"),
               Cell(trial, "status"), json::serialize(ObjectIn(trial, "settings"))});
  }
  return table.Text();
}

Status Search(Session& session, const SearchOptions& options) {
  ATELIER_ASSIGN(settings, ParseSettings(options.settings));
  ATELIER_ASSIGN(space, ParseSpace(options.space));
  json::object request{
      {"kind", "search"},     {"family", options.family}, {"dataset", options.dataset},   {"model", options.model},
      {"settings", settings}, {"space", space},           {"strategy", options.strategy}, {"trials", options.trials},
      {"seed", options.seed}, {"factor", options.factor}, {"parallel", options.parallel}};
  if (!options.metric.empty()) {
    request["metric"] = options.metric;
  }
  const JobWish wish{.what = "searching settings of " + options.family + " on " + options.dataset,
                     .follow = options.follow};
  ATELIER_ASSIGN(done, StartJob(session, request, wish));
  if (!done) {
    return {};
  }
  const auto& result = ObjectIn(*done, "result");
  PrintText("\n" + Escape(Cell(result, "model") + "@" + Cell(result, "version")) + "\n\n" +
            TrialsTable(ObjectIn(result, "search")));
  return {};
}

}  // namespace

void AddSearchCommand(CLI::App& app, Selection& selection) {
  auto options = std::make_shared<SearchOptions>();
  auto* command = app.add_subcommand("search", "Train with many settings and keep the best model; prints the job's id");
  command->add_option("family", options->family, "Kind of model, as of train")->required();
  command->add_option("--data", options->dataset, "NAME or NAME@VERSION of the data set")->required();
  command->add_option("--name", options->model, "Name of the best model")->required();
  command
      ->add_option("--space", options->space,
                   "What to try, may be repeated: learning_rate=0.001,0.01   learning_rate=1e-4..1e-1:log   "
                   "epochs=2..10   layers=64|128,64")
      ->required();
  command->add_option("--set", options->settings, "Settings of all trainings, as of train");
  command->add_option("--strategy", options->strategy, "grid, random or halving")->capture_default_str();
  command->add_option("--trials", options->trials, "How many settings random and halving try")->capture_default_str();
  command->add_option("--metric", options->metric,
                      "What to choose by; default: accuracy or rmse of the validation rows");
  command->add_option("--factor", options->factor, "halving: one of so many goes on")->capture_default_str();
  command->add_option("--parallel", options->parallel, "Trainings that may run at once")->capture_default_str();
  command->add_option("--seed", options->seed, "Of the choice of settings")->capture_default_str();
  command->add_flag("--follow", options->follow, "Show the progress and wait for the end");
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Search(s, *options); }; });
}

}  // namespace atelier::cli

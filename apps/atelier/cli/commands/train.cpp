// atelier train
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/follow.h"
#include "atelier/cli/text.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct TrainOptions {
  std::string family, dataset, model;
  std::vector<std::string> settings;
  bool follow = false;
};

Status Train(Session& session, const TrainOptions& options) {
  ATELIER_ASSIGN(settings, ParseSettings(options.settings));
  const json::object request{{"kind", "train"},
                             {"family", options.family},
                             {"dataset", options.dataset},
                             {"model", options.model},
                             {"settings", std::move(settings)}};
  ATELIER_ASSIGN(job, session.api.Post("/v1/jobs", request));
  const std::string id = GetString(job, "id");
  if (!options.follow) {
    if (session.json) {
      PrintJson(job);
    } else {
      PrintText(Escape(id) + "\n");
      std::fprintf(stderr, "follow it with: atelier job follow %s\n", Escape(id).c_str());
    }
    return {};
  }
  Progress progress(session.json ? stderr : stdout);
  progress.Print("training " + options.model + " on " + options.dataset + " (" + id + ")");
  ATELIER_ASSIGN(done, FollowJob(session.api, id, progress));
  if (session.json) {
    PrintJson(done);
    return {};
  }
  const auto& result = ObjectIn(done, "result");
  PrintText("\n" + Escape(Cell(result, "model") + "@" + Cell(result, "version")) + "\n\n" +
            MetricsTable(ObjectIn(result, "metrics")));
  return {};
}

}  // namespace

void AddTrainCommands(CLI::App& app, Selection& selection) {
  auto train = std::make_shared<TrainOptions>();
  auto* command = app.add_subcommand("train", "Train a model on a data set; prints the job's id");
  command->add_option("family", train->family, "Kind of model: mlp or cnn")->required();
  command->add_option("--data", train->dataset, "NAME or NAME@VERSION of the data set")->required();
  command->add_option("--name", train->model, "Name of the model")->required();
  command->add_option("--set", train->settings, "Setting as key=value, e.g. layers=128,128 epochs=5; may be repeated");
  command->add_flag("--follow", train->follow, "Show the progress and wait for the end");
  command->callback([&selection, train] { selection.run = [train](Session& s) { return Train(s, *train); }; });
}

}  // namespace atelier::cli

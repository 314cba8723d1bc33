// atelier evaluate MODEL | compare A B | show ID | list
#include <cmath>
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/commands/evaluation_tables.h"
#include "atelier/cli/follow.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/url.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

// How the rows are looked at, besides the metrics.
struct Views {
  std::string slice, group, positive;
  bool errors = false;
};

struct EvaluateOptions {
  std::string model, dataset, a, b, id;
  std::string split = "test";
  Views views;
  bool no_wait = false;
};

std::string Target(const std::string& id, std::string_view rest = "") {
  return "/v1/evaluations/" + PercentEncode(id) + std::string(rest);
}

// Adds what the views ask for to the evaluation's object, and their tables to the text.
Status AddViews(Session& session, const Views& views, json::object& evaluation, std::string& text) {
  const std::string id = GetString(evaluation, "id");
  if (views.errors || !views.slice.empty()) {
    const std::string query = views.slice.empty() ? "" : "?slice=" + PercentEncode(views.slice);
    ATELIER_ASSIGN(errors, session.api.Get(Target(id, "/errors" + query)));
    text += "\n" + SlicesTable(errors, views.slice) + (views.errors ? "\n" + WorstTable(errors) : "");
    evaluation["errors"] = std::move(errors);
  }
  if (!views.group.empty()) {
    const std::string positive = views.positive.empty() ? "" : "&positive=" + PercentEncode(views.positive);
    ATELIER_ASSIGN(bias, session.api.Get(Target(id, "/bias?group=" + PercentEncode(views.group) + positive)));
    text += "\n" + BiasTable(bias);
    evaluation["bias"] = std::move(bias);
  }
  return {};
}

Status Answer(Session& session, const Views& views, json::object evaluation) {
  std::string text = Escape(Cell(evaluation, "model") + " on the " + Cell(evaluation, "split") + " rows of " +
                            Cell(evaluation, "dataset") + " (" + Cell(evaluation, "id") + ")") +
                     "\n\n" + MetricsTable(ObjectIn(evaluation, "metrics"));
  ATELIER_TRY(AddViews(session, views, evaluation, text));
  if (session.json) {
    PrintJson(evaluation);
  } else {
    PrintText(text);
  }
  return {};
}

Status Evaluate(Session& session, const EvaluateOptions& options) {
  if (options.model.empty() || options.dataset.empty()) {
    return Usage("name the model and its data: atelier evaluate MODEL --data NAME");
  }
  const json::object request{{"model", options.model}, {"dataset", options.dataset}, {"split", options.split}};
  ATELIER_ASSIGN(job, session.api.Post("/v1/evaluations", request));
  const std::string id = GetString(job, "id");
  if (options.no_wait) {
    if (session.json) {
      PrintJson(job);
    } else {
      PrintText(Escape(id) + "\n");
    }
    return {};
  }
  Progress progress(stderr);
  ATELIER_ASSIGN(done, FollowJob(session.api, id, progress));
  ATELIER_ASSIGN(evaluation, session.api.Get(Target(Cell(ObjectIn(done, "result"), "evaluation"))));
  return Answer(session, options.views, std::move(evaluation));
}

Status Show(Session& session, const EvaluateOptions& options) {
  ATELIER_ASSIGN(evaluation, session.api.Get(Target(options.id)));
  return Answer(session, options.views, std::move(evaluation));
}

Status CompareBoth(Session& session, const EvaluateOptions& options) {
  ATELIER_ASSIGN(comparison, session.api.Post("/v1/evaluations/compare", {{"a", options.a}, {"b", options.b}}));
  if (session.json) {
    PrintJson(comparison);
  } else {
    PrintText(ComparisonTable(comparison));
  }
  return {};
}

Status List(Session& session, const EvaluateOptions& options) {
  const std::string query = options.model.empty() ? "" : "model=" + PercentEncode(options.model);
  ATELIER_ASSIGN(evaluations, session.api.List("/v1/evaluations", query, 200));
  if (session.json) {
    PrintJson(evaluations);
    return {};
  }
  Table table({"ID", "MODEL", "DATA", "ROWS", "METRICS", "CREATED"});
  for (const auto& item : evaluations) {
    const auto& one = item.as_object();
    table.Add({Cell(one, "id"), Cell(one, "model"), Cell(one, "dataset"), Cell(one, "split"),
               MetricsLine(ObjectIn(one, "metrics"), 3), TimeCell(one, "created_at")});
  }
  PrintText(table.Text());
  return {};
}

void AddViewOptions(CLI::App& command, Views& views) {
  command.add_flag("--errors", views.errors, "Also show the worst rows and the weakest parts of the data");
  command.add_option("--slice", views.slice, "Also show the score of each part of the rows by this column");
  command.add_option("--group", views.group, "Also compare how the groups of this column are treated (bias)");
  command.add_option("--positive", views.positive, "Of --group: the class that is at stake");
}

}  // namespace

void AddEvaluateCommands(CLI::App& app, Selection& selection) {
  auto options = std::make_shared<EvaluateOptions>();
  const auto run = [&selection, options](Status (*body)(Session&, const EvaluateOptions&)) {
    return [&selection, options, body] {
      if (!selection.run) {  // a group's callback comes after its subcommand's
        selection.run = [options, body](Session& session) { return body(session, *options); };
      }
    };
  };
  auto* group = app.add_subcommand("evaluate", "Measure a model on a data set, and look at its errors");
  group->require_subcommand(0, 1);
  group->add_option("model", options->model, "NAME, NAME@VERSION or NAME@ALIAS");
  group->add_option("--data", options->dataset, "NAME or NAME@VERSION of the data set");
  group->add_option("--split", options->split, "train, validation or test")->capture_default_str();
  group->add_flag("--no-wait", options->no_wait, "Print the job's id and end");
  AddViewOptions(*group, options->views);
  group->callback(run(Evaluate));

  auto* compare = group->add_subcommand("compare", "Whether one model is better than another on the same rows");
  compare->add_option("a", options->a, "Id of an evaluation")->required();
  compare->add_option("b", options->b, "Id of another one of the same data")->required();
  compare->callback(run(CompareBoth));
  auto* show = group->add_subcommand("show", "Show an evaluation");
  show->add_option("id", options->id, "The evaluation's id")->required();
  AddViewOptions(*show, options->views);
  show->callback(run(Show));
  auto* list = group->add_subcommand("list", "List the evaluations, the newest first");
  list->add_option("--model", options->model, "Only those of this model");
  list->callback(run(List));
}

}  // namespace atelier::cli

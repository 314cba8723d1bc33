// atelier traffic list|show|feedback|delete, atelier dataset from-traffic
#include <ctime>
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/dataset_version.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/url.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct DatasetOptions {
  std::string name, deployment, kind, since, until, target, task, split;
  std::vector<std::string> columns;
  double min_score = 0, max_score = 0, sample = 1;
  int64_t seed = 1, limit = 0;
  CLI::Option* min_given = nullptr;
  CLI::Option* max_given = nullptr;
  CLI::Option* seed_given = nullptr;
};

// A point of time, as Unix seconds: these, or how long ago.
Result<int64_t> ParseTime(const std::string& text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos && text.size() < 13) {
    return static_cast<int64_t>(std::stoll(text));
  }
  ATELIER_ASSIGN(seconds, ParseDuration(text));
  return static_cast<int64_t>(std::time(nullptr)) - seconds;
}

Result<json::object> DatasetRequest(const DatasetOptions& options) {
  json::object request{{"name", options.name}, {"sample", options.sample}};
  const std::pair<const char*, std::string> texts[] = {
      {"deployment", options.deployment}, {"kind", options.kind}, {"target", options.target}, {"task", options.task}};
  for (const auto& [key, value] : texts) {
    if (!value.empty()) {
      request[key] = value;
    }
  }
  const std::pair<const char*, std::string> times[] = {{"from", options.since}, {"to", options.until}};
  for (const auto& [key, value] : times) {
    if (!value.empty()) {
      ATELIER_ASSIGN(time, ParseTime(value));
      request[key] = time;
    }
  }
  if (options.min_given->count() > 0) {
    request["min_score"] = options.min_score;
  }
  if (options.max_given->count() > 0) {
    request["max_score"] = options.max_score;
  }
  if (options.seed_given->count() > 0) {
    request["seed"] = options.seed;
  }
  if (options.limit > 0) {
    request["limit"] = options.limit;
  }
  if (!options.columns.empty()) {
    request["columns"] = json::array(options.columns.begin(), options.columns.end());
  }
  if (!options.split.empty()) {
    ATELIER_ASSIGN(fractions, ParseFractions(options.split));
    request["split"] = std::move(fractions);
  }
  return request;
}

Status FromTraffic(Session& session, const DatasetOptions& options) {
  ATELIER_ASSIGN(request, DatasetRequest(options));
  ATELIER_ASSIGN(job, session.api.Post("/v1/datasets/from-traffic", request));
  return FinishVersion(session, job, options.name);
}

Status List(Session& session, const std::string& deployment, int64_t limit) {
  const std::string query = deployment.empty() ? "" : "deployment=" + PercentEncode(deployment);
  ATELIER_ASSIGN(records, session.api.List("/v1/traffic", query, static_cast<size_t>(limit)));
  if (session.json) {
    PrintJson(records);
    return {};
  }
  Table table({"ID", "KIND", "DEPLOYMENT", "MODEL", "TIME", "SCORE"});
  for (const auto& item : records) {
    const auto& record = item.as_object();
    table.Add({Cell(record, "id"), Cell(record, "kind"), Cell(record, "deployment"), Cell(record, "model"),
               TimeCell(record, "created_at"), Cell(ObjectIn(record, "feedback"), "score")});
  }
  PrintText(table.Text());
  return {};
}

std::string PathOf(const std::string& id) { return "/v1/traffic/" + PercentEncode(id); }

Status Print(Result<json::object> answer) {
  ATELIER_ASSIGN(object, std::move(answer));
  PrintJson(object);
  return {};
}

void AddFeedback(CLI::App& group, Selection& selection) {
  struct Options {
    std::string id, correction, comment;
    double score = 0;
  };
  auto options = std::make_shared<Options>();
  auto* command = group.add_subcommand("feedback", "Say how good an answer was");
  command->add_option("id", options->id, "The answer's id")->required();
  command->add_option("score", options->score, "From -1 to 1")->required();
  command->add_option("--correction", options->correction, "What the answer should have been");
  command->add_option("--comment", options->comment, "For people");
  command->callback([&selection, options] {
    selection.run = [options](Session& session) {
      json::object request{
          {"score", options->score}, {"correction", options->correction}, {"comment", options->comment}};
      return Print(session.api.Post(PathOf(options->id) + "/feedback", request));
    };
  });
}

}  // namespace

void AddDatasetTraffic(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<DatasetOptions>();
  auto* command = group.add_subcommand("from-traffic", "Make a data set, or its next version, of recorded answers");
  command->add_option("name", options->name, "Name of the data set")->required();
  command->add_option("--deployment", options->deployment, "Whose answers; default: all");
  command->add_option("--kind", options->kind, "predict, chat or completion");
  command->add_option("--since", options->since, "Unix seconds, or how long ago: 12h, 7d");
  command->add_option("--until", options->until, "The same");
  options->min_given = command->add_option("--min-score", options->min_score, "Of the feedback, from -1 to 1");
  options->max_given = command->add_option("--max-score", options->max_score, "The same");
  command->add_option("--sample", options->sample, "Share of the answers, from 0 to 1");
  options->seed_given = command->add_option("--seed", options->seed, "Of the sample and the split");
  command->add_option("--limit", options->limit, "Most rows");
  command->add_option("--columns", options->columns, "Also id, created_at, deployment, model, score, comment: a,b")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--target", options->target, "The column to predict");
  command->add_option("--task", options->task, "classification, regression or none");
  command->add_option("--split", options->split, "Fractions of train,validation,test, e.g. 0.8,0.1,0.1");
  command->callback(
      [&selection, options] { selection.run = [options](Session& s) { return FromTraffic(s, *options); }; });
}

void AddTrafficCommands(CLI::App& app, Selection& selection) {
  auto* group = app.add_subcommand("traffic", "Recorded requests and answers, and feedback");
  group->require_subcommand(1);
  auto deployment = std::make_shared<std::string>();
  auto limit = std::make_shared<int64_t>(100);
  auto* list = group->add_subcommand("list", "List the latest");
  list->add_option("--deployment", *deployment, "Of one deployment");
  list->add_option("--limit", *limit, "At most so many")->check(CLI::Range(int64_t{1}, int64_t{10000}));
  list->callback([&selection, deployment, limit] {
    selection.run = [deployment, limit](Session& s) { return List(s, *deployment, *limit); };
  });
  auto id = std::make_shared<std::string>();
  auto* show = group->add_subcommand("show", "Show one with its texts");
  show->add_option("id", *id, "The answer's id")->required();
  show->callback([&selection, id] { selection.run = [id](Session& s) { return Print(s.api.Get(PathOf(*id))); }; });
  auto* remove = group->add_subcommand("delete", "Delete one");
  remove->add_option("id", *id, "The answer's id")->required();
  remove->callback([&selection, id] { selection.run = [id](Session& s) { return Print(s.api.Delete(PathOf(*id))); }; });
  AddFeedback(*group, selection);
}

}  // namespace atelier::cli

// atelier job list|show|logs|cancel|resume|follow
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/follow.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

std::string Target(const std::string& id, std::string_view rest = "") {
  return "/v1/jobs/" + PercentEncode(id) + std::string(rest);
}

// What the job is about: the names in its request, in one line.
std::string Subject(const json::object& job) {
  const auto& request = ObjectIn(job, "request");
  std::string text;
  for (const char* key : {"family", "name", "model", "dataset", "split"}) {
    const auto* value = request.if_contains(key);
    if (value != nullptr && value->is_string()) {
      text += (text.empty() ? "" : " ") + std::string(value->get_string());
    }
  }
  return text.empty() ? "-" : text;
}

std::string Took(const json::object& job) {
  const int64_t begin = GetInt(job, "started_at");
  const int64_t end = GetInt(job, "finished_at");
  return begin > 0 && end >= begin ? HumanDuration(static_cast<double>(end - begin)) : "-";
}

struct ListOptions {
  std::string kind, status;
  size_t limit = 50;
};

Status List(Session& session, const ListOptions& options) {
  std::string query = options.kind.empty() ? "" : "kind=" + PercentEncode(options.kind);
  if (!options.status.empty()) {
    query += (query.empty() ? "" : "&") + std::string("status=") + PercentEncode(options.status);
  }
  ATELIER_ASSIGN(jobs, session.api.List("/v1/jobs", query, options.limit));
  if (session.json) {
    PrintJson(jobs);
    return {};
  }
  Table table({"ID", "KIND", "STATUS", "ABOUT", "CREATED", "TOOK"});
  for (const auto& item : jobs) {
    const auto& job = item.as_object();
    table.Add({Cell(job, "id"), Cell(job, "kind"), Cell(job, "status"), Subject(job), TimeCell(job, "created_at"),
               Took(job)});
  }
  PrintText(table.Text());
  return {};
}

void PrintJob(const json::object& job) {
  Table table({"FIELD", "VALUE"});
  for (const char* key : {"id", "kind", "status", "attempt"}) {
    table.Add({key, Cell(job, key)});
  }
  table.Add({"about", Subject(job)});
  for (const char* key : {"created_at", "started_at", "finished_at"}) {
    table.Add({key, TimeCell(job, key)});
  }
  const auto& result = ObjectIn(job, "result");
  for (const auto& member : result) {
    if (!member.value().is_object() && !member.value().is_array()) {
      table.Add({std::string(member.key()), CellOf(member.value())});
    }
  }
  if (const auto& metrics = ObjectIn(result, "metrics"); !metrics.empty()) {
    table.Add({"metrics", MetricsLine(metrics, 6)});
  }
  if (const auto& error = ObjectIn(job, "error"); !error.empty()) {
    table.Add({"error", Cell(error, "message") + " (" + Cell(error, "code") + ")"});
  }
  PrintText(table.Text());
}

Status Answer(Session& session, const json::object& job) {
  if (session.json) {
    PrintJson(job);
  } else {
    PrintJob(job);
  }
  return {};
}

Status Show(Session& session, const std::string& id) {
  ATELIER_ASSIGN(job, session.api.Get(Target(id)));
  return Answer(session, job);
}

Status Logs(Session& session, const std::string& id) {
  ATELIER_ASSIGN(response, session.api.http().Send({.target = Target(id, "/log"), .accept = "text/plain"}));
  if (response.status != 200) {
    return ErrorOfAnswer(response);
  }
  PrintText(Escape(response.body, Lines::kKeep));
  return {};
}

Status Cancel(Session& session, const std::string& id) {
  ATELIER_ASSIGN(job, session.api.Post(Target(id, "/cancel"), {}));
  return Answer(session, job);
}

Status Follow(Session& session, const std::string& id) {
  Progress progress(session.json ? stderr : stdout);
  ATELIER_ASSIGN(job, FollowJob(session.api, id, progress));
  return Answer(session, job);
}

Status Resume(Session& session, const std::string& id, bool follow) {
  ATELIER_ASSIGN(job, session.api.Post(Target(id, "/resume"), {}));
  return follow ? Follow(session, id) : Answer(session, job);
}

}  // namespace

void AddJobCommands(CLI::App& app, Selection& selection) {
  auto* group = app.add_subcommand("job", "Long work: imports, trainings, evaluations");
  group->require_subcommand(1);
  auto options = std::make_shared<ListOptions>();
  auto* list = group->add_subcommand("list", "List the jobs, the newest first");
  list->add_option("--kind", options->kind, "import, process, train or evaluate");
  list->add_option("--status", options->status, "queued, running, succeeded, failed or cancelled");
  list->add_option("--limit", options->limit, "At most so many")->capture_default_str();
  list->callback([&selection, options] { selection.run = [options](Session& s) { return List(s, *options); }; });

  auto id = std::make_shared<std::string>();
  const auto add = [&](const char* name, const char* help, Status (*run)(Session&, const std::string&)) {
    auto* command = group->add_subcommand(name, help);
    command->add_option("id", *id, "The job's id")->required();
    command->callback([&selection, id, run] { selection.run = [id, run](Session& s) { return run(s, *id); }; });
  };
  add("show", "Show a job", Show);
  add("logs", "Print what a job's process wrote", Logs);
  add("cancel", "Stop a job; a training can be resumed later", Cancel);
  add("follow", "Show the progress of a job and wait for its end", Follow);
  auto follow = std::make_shared<bool>(false);
  auto* resume = group->add_subcommand("resume", "Go on with a failed or cancelled job from its checkpoint");
  resume->add_option("id", *id, "The job's id")->required();
  resume->add_flag("--follow", *follow, "Show the progress and wait for the end");
  resume->callback(
      [&selection, id, follow] { selection.run = [id, follow](Session& s) { return Resume(s, *id, *follow); }; });
}

}  // namespace atelier::cli

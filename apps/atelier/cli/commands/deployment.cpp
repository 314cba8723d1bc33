// atelier deploy, undeploy, rollback, deployments
#include <chrono>
#include <memory>
#include <thread>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/progress.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct DeployOptions {
  std::string model, name, traffic, gate, gate_dataset;
  int64_t max_batch = 0;
  int64_t max_delay_us = -1;
  int64_t max_queue = 0;
  std::vector<std::string> settings;
  int timeout_s = 120;
  bool no_wait = false;
};

std::string Target(const std::string& name) { return "/v1/deployments/" + PercentEncode(name); }

void PrintDeployments(const json::array& deployments) {
  Table table({"NAME", "STATUS", "MODEL", "VERSION", "TRAFFIC", "WORKER", "PID", "MEMORY", "RESTARTS", "ERROR"});
  for (const auto& item : deployments) {
    const auto& deployment = item.as_object();
    for (const auto& value : ArrayIn(deployment, "versions")) {
      if (const auto* version = value.if_object()) {
        const auto bytes = GetNumber(*version, "resident_bytes");
        const std::string error = Cell(*version, "error");
        table.Add({Cell(deployment, "name"), Cell(deployment, "status"), Cell(deployment, "model"),
                   Cell(*version, "version"), Cell(*version, "weight") + "%", Cell(*version, "status"),
                   Cell(*version, "pid"), bytes > 0 ? HumanBytes(bytes) : "-", Cell(*version, "restarts"),
                   error.empty() ? "-" : error});
      }
    }
  }
  PrintText(table.Text());
}

Status Answer(Session& session, const json::object& deployment) {
  if (session.json) {
    PrintJson(deployment);
  } else {
    PrintDeployments({deployment});
  }
  return {};
}

std::string WorkerError(const json::object& deployment) {
  for (const auto& value : ArrayIn(deployment, "versions")) {
    if (value.is_object() && GetString(value.get_object(), "status") == "failed") {
      return GetString(value.get_object(), "error", "no reason is known");
    }
  }
  return "no reason is known";
}

Status Deploy(Session& session, const DeployOptions& options) {
  json::object request{{"model", options.model}};
  if (!options.name.empty()) {
    request["name"] = options.name;
  }
  if (!options.traffic.empty()) {
    const Reference reference = ParseReference(options.model, "");
    if (!reference.reference.empty()) {
      return InvalidArgument("with --traffic, MODEL is a name without a version", "traffic", "usage");
    }
    ATELIER_ASSIGN(versions, ParseTraffic(options.traffic));
    request["versions"] = std::move(versions);
  }
  ATELIER_ASSIGN(settings, ParseSettings(options.settings));
  if (options.max_batch > 0) {
    settings["max_batch"] = options.max_batch;
  }
  if (options.max_delay_us >= 0) {
    settings["max_delay_us"] = options.max_delay_us;
  }
  if (options.max_queue > 0) {
    settings["max_queue"] = options.max_queue;
  }
  if (!settings.empty()) {
    request["settings"] = std::move(settings);
  }
  if (!options.gate.empty()) {
    ATELIER_ASSIGN(gate, ParseGate(options.gate));
    if (gate.is_object() && !options.gate_dataset.empty()) {
      gate.get_object()["dataset"] = options.gate_dataset;
    }
    request["gate"] = std::move(gate);
  }
  ATELIER_ASSIGN(deployment, session.api.Post("/v1/deployments", request));
  if (options.no_wait) {
    return Answer(session, deployment);
  }
  ATELIER_ASSIGN(ready, WaitReady(session, GetString(deployment, "name"), options.timeout_s));
  return Answer(session, ready);
}

Status Undeploy(Session& session, const std::string& name) {
  ATELIER_ASSIGN(answer, session.api.Delete(Target(name)));
  if (session.json) {
    PrintJson(answer);
  } else {
    PrintText("undeployed " + Escape(name) + "\n");
  }
  return {};
}

Status Rollback(Session& session, const std::string& name) {
  ATELIER_ASSIGN(deployment, session.api.Post(Target(name) + "/rollback", {}));
  ATELIER_ASSIGN(ready, WaitReady(session, GetString(deployment, "name", name), 120));
  return Answer(session, ready);
}

Status List(Session& session) {
  ATELIER_ASSIGN(deployments, session.api.List("/v1/deployments"));
  if (session.json) {
    PrintJson(deployments);
  } else {
    PrintDeployments(deployments);
  }
  return {};
}

Status Show(Session& session, const std::string& name) {
  ATELIER_ASSIGN(deployment, session.api.Get(Target(name)));
  return Answer(session, deployment);
}

void AddDeploy(CLI::App& app, Selection& selection) {
  auto options = std::make_shared<DeployOptions>();
  auto* command = app.add_subcommand("deploy", "Let a model answer requests, and wait until it does");
  command->add_option("model", options->model, "NAME, NAME@VERSION or NAME@ALIAS")->required();
  command->add_option("--as", options->name, "Name of the deployment; default: the model's");
  command->add_option("--traffic", options->traffic, "Several versions with their shares: VERSION=PERCENT,...");
  command->add_option("--max-batch", options->max_batch, "Most inputs computed at once; 1: no batching")
      ->check(CLI::PositiveNumber);
  command->add_option("--max-delay-us", options->max_delay_us, "Longest wait for a batch to fill, in microseconds")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--max-queue", options->max_queue, "Most requests waiting; more are refused")
      ->check(CLI::PositiveNumber);
  command->add_option("--set", options->settings,
                      "KEY=VALUE ...: of language models max_running, max_queue, context, kv_bytes, kv_bits, "
                      "max_adapters, threads, step_tokens, step_ms, speculation, draft");
  command->add_option("--gate", options->gate,
                      "Score that every version must have been evaluated to, e.g. 'accuracy>=0.9' or 'mae<=2'; none: "
                      "demand nothing any more");
  command->add_option("--gate-data", options->gate_dataset, "Data set of the evaluations that count; default: any");
  command->add_option("--timeout", options->timeout_s, "Seconds to wait until it is ready")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--no-wait", options->no_wait, "Do not wait until it is ready");
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Deploy(s, *options); }; });
}

}  // namespace

Result<json::object> WaitReady(Session& session, const std::string& name, int timeout_s) {
  Progress progress(stderr);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(timeout_s);
  while (true) {
    ATELIER_ASSIGN(deployment, session.api.Get(Target(name)));
    const std::string status = GetString(deployment, "status");
    if (status == "ready") {
      return deployment;
    }
    if (status == "failed") {
      return FailedPrecondition("the deployment '" + name + "' failed: " + WorkerError(deployment),
                                "deployment_failed");
    }
    if (std::chrono::steady_clock::now() > end) {
      return MakeError(
          Code::kDeadlineExceeded,
          "the deployment '" + name + "' is still " + status + " after " + std::to_string(timeout_s) + " s",
          "deployment_not_ready");
    }
    progress.Update("the deployment '" + name + "' is " + status);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

void AddDeploymentCommands(CLI::App& app, Selection& selection) {
  AddDeploy(app, selection);
  auto name = std::make_shared<std::string>();
  const auto add = [&](CLI::App& group, const char* word, const char* help,
                       Status (*run)(Session&, const std::string&)) {
    auto* command = group.add_subcommand(word, help);
    command->add_option("name", *name, "Name of the deployment")->required();
    command->callback([&selection, name, run] { selection.run = [name, run](Session& s) { return run(s, *name); }; });
  };
  add(app, "undeploy", "Stop a deployment", Undeploy);
  add(app, "rollback", "Go back to the versions that a deployment had before", Rollback);
  auto* group = app.add_subcommand("deployments", "List the deployments, or show one");
  group->alias("deployment");
  group->require_subcommand(0, 1);
  // A group's callback runs after its subcommand's: it must not replace what that chose.
  group->callback([&selection] {
    if (!selection.run) {
      selection.run = List;
    }
  });
  group->add_subcommand("list", "List the deployments")->callback([&selection] { selection.run = List; });
  add(*group, "show", "Show a deployment", Show);
}

}  // namespace atelier::cli

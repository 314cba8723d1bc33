// atelier adapter load, list, unload
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct AdapterOptions {
  std::string deployment, model, name;
};

std::string Target(const std::string& deployment) {
  return "/v1/deployments/" + PercentEncode(deployment) + "/adapters";
}

void PrintAdapters(const json::array& adapters) {
  Table table({"NAME", "STATUS", "MODEL", "VERSION", "RANK", "MEMORY", "ERROR"});
  for (const auto& item : adapters) {
    const auto& adapter = item.as_object();
    const auto bytes = GetNumber(adapter, "memory_bytes");
    const std::string error = Cell(adapter, "error");
    table.Add({Cell(adapter, "name"), Cell(adapter, "status"), Cell(adapter, "model"), Cell(adapter, "version"),
               Cell(adapter, "rank"), bytes > 0 ? HumanBytes(bytes) : "-", error.empty() ? "-" : error});
  }
  PrintText(table.Text());
}

Status Load(Session& session, const AdapterOptions& options) {
  json::object request{{"model", options.model}};
  if (!options.name.empty()) {
    request["name"] = options.name;
  }
  ATELIER_ASSIGN(adapter, session.api.Post(Target(options.deployment), request));
  if (session.json) {
    PrintJson(adapter);
  } else {
    PrintAdapters({adapter});
  }
  return {};
}

Status List(Session& session, const AdapterOptions& options) {
  ATELIER_ASSIGN(adapters, session.api.List(Target(options.deployment)));
  if (session.json) {
    PrintJson(adapters);
  } else {
    PrintAdapters(adapters);
  }
  return {};
}

Status Unload(Session& session, const AdapterOptions& options) {
  ATELIER_ASSIGN(answer, session.api.Delete(Target(options.deployment) + "/" + PercentEncode(options.name)));
  if (session.json) {
    PrintJson(answer);
  } else {
    PrintText("unloaded " + Escape(options.name) + "\n");
  }
  return {};
}

}  // namespace

void AddAdapterCommands(CLI::App& app, Selection& selection) {
  auto options = std::make_shared<AdapterOptions>();
  auto* group = app.add_subcommand("adapter", "LoRA adapters of a deployed language model");
  group->require_subcommand(1);
  const auto add = [&](const char* word, const char* help, Status (*run)(Session&, const AdapterOptions&)) {
    auto* command = group->add_subcommand(word, help);
    command->add_option("deployment", options->deployment, "Name of the deployment")->required();
    command->callback(
        [&selection, options, run] { selection.run = [options, run](Session& s) { return run(s, *options); }; });
    return command;
  };
  auto* load = add("load", "Load an adapter; requests choose it by its name as their model", Load);
  load->add_option("model", options->model, "The adapter: NAME, NAME@VERSION or NAME@ALIAS")->required();
  load->add_option("--as", options->name, "What requests call it; default: the model's name");
  add("list", "List the adapters of a deployment", List);
  add("unload", "Take an adapter away from new requests", Unload)
      ->add_option("name", options->name, "Name of the adapter")
      ->required();
}

}  // namespace atelier::cli

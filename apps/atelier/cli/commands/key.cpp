// atelier key create|list|revoke
#include <ctime>
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

struct CreateOptions {
  std::string name, role, expires;
};

// The secret goes to standard output alone, so that a script can take it.
Status Create(Session& session, const CreateOptions& options) {
  json::object request{{"name", options.name}};
  if (!options.role.empty()) {
    request["role"] = options.role;
  }
  if (!options.expires.empty()) {
    ATELIER_ASSIGN(seconds, ParseDuration(options.expires));
    request["expires_at"] = static_cast<int64_t>(std::time(nullptr)) + seconds;
  }
  ATELIER_ASSIGN(key, session.api.Post("/v1/keys", request));
  if (session.json) {
    PrintJson(key);
    return {};
  }
  std::fprintf(stderr, "%s  %s  %s: keep it now, it is not shown again\n", Escape(Cell(key, "id")).c_str(),
               Escape(Cell(key, "name")).c_str(), Escape(Cell(key, "role")).c_str());
  PrintText(Escape(Cell(key, "secret")) + "\n");
  return {};
}

Status List(Session& session) {
  ATELIER_ASSIGN(keys, session.api.List("/v1/keys"));
  if (session.json) {
    PrintJson(keys);
    return {};
  }
  Table table({"ID", "NAME", "ROLE", "BEGINS WITH", "CREATED", "EXPIRES"});
  for (const auto& item : keys) {
    const auto& key = item.as_object();
    table.Add({Cell(key, "id"), Cell(key, "name"), Cell(key, "role"), Cell(key, "hint"), TimeCell(key, "created_at"),
               TimeCell(key, "expires_at")});
  }
  PrintText(table.Text());
  return {};
}

Status Revoke(Session& session, const std::string& id) {
  ATELIER_ASSIGN(answer, session.api.Delete("/v1/keys/" + PercentEncode(id)));
  if (session.json) {
    PrintJson(answer);
  } else {
    PrintText("revoked " + Escape(id) + "\n");
  }
  return {};
}

}  // namespace

void AddKeyCommands(CLI::App& app, Selection& selection) {
  auto* group = app.add_subcommand("key", "API keys");
  group->require_subcommand(1);
  auto options = std::make_shared<CreateOptions>();
  auto* create = group->add_subcommand("create", "Make a key and print it, this once");
  create->add_option("name", options->name, "What the key is for")->required();
  create->add_option("--role", options->role, "owner or member; a member may not manage keys");
  create->add_option("--expires", options->expires, "After how long, e.g. 12h or 30d");
  create->callback([&selection, options] { selection.run = [options](Session& s) { return Create(s, *options); }; });
  group->add_subcommand("list", "List the keys")->callback([&selection] { selection.run = List; });
  auto id = std::make_shared<std::string>();
  auto* revoke = group->add_subcommand("revoke", "Make a key invalid at once");
  revoke->add_option("id", *id, "The key's id")->required();
  revoke->callback([&selection, id] { selection.run = [id](Session& s) { return Revoke(s, *id); }; });
}

}  // namespace atelier::cli

// atelier doctor: is everything there that the other commands need?
#include <version.h>

#include <chrono>
#include <filesystem>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kLowDiskBytes = 1024.0 * 1024 * 1024;

struct Check {
  std::string name;
  bool good = false;
  std::string detail;
};

Check CheckServer(Session& session, Status& reached) {
  const auto begin = std::chrono::steady_clock::now();
  auto response = session.api.http().Send({.target = "/healthz", .accept = "*/*"});
  if (!response.ok()) {
    reached = response.error();
    return {"server", false, response.error().message};
  }
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  const std::string url = session.api.http().options().url.Text();
  return {"server", response->status == 200,
          url + " answered " + std::to_string(response->status) + " in " + HumanNumber(ms) + " ms"};
}

Check CheckReady(Session& session) {
  auto response = session.api.http().Send({.target = "/readyz", .accept = "*/*"});
  const bool good = response.ok() && response->status == 200;
  return {"ready", good,
          good            ? "takes requests"
          : response.ok() ? ErrorOfAnswer(*response).message
                          : response.error().message};
}

Check CheckKey(Session& session) {
  if (session.key_origin.empty()) {
    return {"key", false, "none: set ATELIER_API_KEY, or name the server's folder with --data-dir"};
  }
  auto answer = session.api.Get("/v1/models");
  return {"key", answer.ok(),
          "from " + session.key_origin + (answer.ok() ? ", accepted" : ": " + answer.error().message)};
}

// The two programs come from one build; a server of another version is worth knowing, but works.
Check CheckVersion(Session& session) {
  const std::string own(kCodeVersion);
  auto answer = session.api.Get("/v2");
  const std::string server = answer.ok() ? GetString(*answer, "version") : "";
  if (server.empty()) {
    return {"version", false, own + " here; the server does not say its own"};
  }
  return {"version", true, own + " here, " + server + " there"};
}

Check CheckDisk(const fs::path& data_dir) {
  std::error_code ec;
  fs::path folder = data_dir;
  while (!fs::exists(folder, ec) && folder.has_parent_path() && folder != folder.parent_path()) {
    folder = folder.parent_path();
  }
  const auto space = fs::space(folder, ec);
  if (ec) {
    return {"disk", false, folder.string() + ": " + ec.message()};
  }
  const auto available = static_cast<double>(space.available);
  return {"disk", available >= kLowDiskBytes, HumanBytes(available) + " free at " + folder.string()};
}

Status Doctor(Session& session) {
  Status reached;
  std::vector<Check> checks{CheckServer(session, reached)};
  if (reached.ok()) {
    checks.push_back(CheckReady(session));
    checks.push_back(CheckKey(session));
    checks.push_back(CheckVersion(session));
  }
  // Another machine's disk cannot be seen from here.
  if (session.api.http().options().url.IsLoopback()) {
    checks.push_back(CheckDisk(session.data_dir));
  }
  Table table({"CHECK", "RESULT", "DETAIL"});
  json::array list;
  bool good = true;
  for (const auto& check : checks) {
    good = good && check.good;
    table.Add({check.name, check.good ? "ok" : "FAILED", check.detail});
    list.push_back(json::object{{"check", check.name}, {"ok", check.good}, {"detail", check.detail}});
  }
  if (session.json) {
    PrintJson(json::object{{"ok", good}, {"checks", list}});
  } else {
    PrintText(table.Text());
  }
  if (!reached.ok()) {
    return reached;
  }
  return good ? Status() : Status(FailedPrecondition("something is wrong", "doctor"));
}

}  // namespace

void AddDoctorCommand(CLI::App& app, Selection& selection) {
  app.add_subcommand("doctor", "Check the server, the key, the version and the disk")->callback([&selection] {
    selection.run = Doctor;
  });
}

}  // namespace atelier::cli

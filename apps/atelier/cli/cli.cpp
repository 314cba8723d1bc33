#include "atelier/cli/cli.h"

#include <version.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/text.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultUrl = "http://127.0.0.1:8080";

struct Global {
  std::string url, data_dir, ca_file;
  bool json = false;
};

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string FirstLine(const fs::path& path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  line.erase(line.find_last_not_of(" \t\r\n") + 1);
  return line;
}

fs::path DataDir(const Global& global) {
  if (!global.data_dir.empty()) {
    return global.data_dir;
  }
  if (const std::string named = Environment("ATELIER_DATA_DIR"); !named.empty()) {
    return named;
  }
  return fs::path(Environment("HOME")) / ".local/share/atelier";
}

// --url, ATELIER_URL, the port that the last server on the data folder wrote there, or the default.
std::string UrlText(const Global& global, const fs::path& data_dir) {
  if (!global.url.empty()) {
    return global.url;
  }
  if (const std::string named = Environment("ATELIER_URL"); !named.empty()) {
    return named;
  }
  const std::string port = FirstLine(data_dir / "server.port");
  return port.empty() ? kDefaultUrl : "http://127.0.0.1:" + port;
}

// The owner's key of a folder on this machine is not sent elsewhere, unless that folder was named on the command line.
Result<Session> Open(const Global& global) {
  const fs::path data_dir = DataDir(global);
  ATELIER_ASSIGN(url, ParseUrl(UrlText(global, data_dir)));
  std::string key = Environment("ATELIER_API_KEY");
  std::string origin = key.empty() ? "" : "ATELIER_API_KEY";
  if (key.empty() && (url.IsLoopback() || !global.data_dir.empty())) {
    const fs::path path = data_dir / "owner.key";
    key = FirstLine(path);
    origin = key.empty() ? "" : path.string();
  }
  const auto printable = [](char c) { return c > ' ' && c < 0x7f; };
  if (!std::all_of(key.begin(), key.end(), printable)) {
    return InvalidArgument("the key from " + origin + " holds characters that no key has", "", "usage");
  }
  HttpOptions options;
  options.url = std::move(url);
  options.key = std::move(key);
  options.user_agent = "atelier/" + std::string(kCodeVersion);
  options.ca_file = global.ca_file.empty() ? Environment("ATELIER_CA_FILE") : global.ca_file;
  return Session{Api(Http(std::move(options))), global.json, data_dir, std::move(origin)};
}

struct Hint {
  std::string_view reason;
  std::string_view text;
};
constexpr std::array<Hint, 18> kHints{{
    {"no_server", "start one with: atelier serve   (or name another with ATELIER_URL)"},
    {"invalid_api_key", "set ATELIER_API_KEY, or name the server's data folder with --data-dir"},
    {"dataset_not_found", "see the data sets with: atelier dataset list"},
    {"dataset_version_not_found", "see the versions with: atelier dataset show NAME"},
    {"model_not_found", "see the models with: atelier model list, the deployments with: atelier deployments"},
    {"model_version_not_found", "see the versions with: atelier model show NAME"},
    {"deployment_not_found", "see the deployments with: atelier deployments   Make one with: atelier deploy MODEL"},
    {"job_not_found", "see the jobs with: atelier job list"},
    {"queue_full", "try again later; see what runs with: atelier job list --status running"},
    {"in_use", "stop what uses it first: atelier undeploy NAME"},
    {"evaluation_not_found", "see the evaluations with: atelier evaluate list"},
    {"gate_failed", "train a better model, or change the gate: atelier deploy MODEL --gate none"},
    {"gate_unmet", "evaluate it first: atelier evaluate MODEL --data NAME"},
    {"no_chat_template", "let it go on with a text: atelier predict NAME TEXT"},
    {"deployment_failed", "see the deployments with: atelier deployments"},
    {"hub_file_not_found", "name one of the repository's files: hf:ORG/NAME:FILE"},
    {"checksum_mismatch", "pull it again; what had arrived is removed"},
    {"storage_full", "free some disk space on the server"},
}};

int ExitCode(const Error& error) {
  if (error.reason == "interrupted") {
    return kExitInterrupted;
  }
  if (error.reason == "no_server" || error.reason == "connection_failed") {
    return kExitNoServer;
  }
  return error.reason == "usage" ? kExitUsage : kExitRefused;
}

void AddCommands(CLI::App& app, Global& global, Selection& selection) {
  app.name("atelier");
  app.fallthrough();
  app.require_subcommand(1);
  app.set_version_flag("--version", "atelier " + std::string(kCodeVersion));
  app.add_option("--url", global.url, std::string("Address of the server (ATELIER_URL; default ") + kDefaultUrl + ")");
  app.add_option("--data-dir", global.data_dir,
                 "Data folder of a server on this machine, where its owner.key lies (ATELIER_DATA_DIR)");
  app.add_option("--ca", global.ca_file, "File of authorities to trust for https (ATELIER_CA_FILE)");
  app.add_flag("--json", global.json, "Answer with one JSON document instead of a table");
  AddDatasetCommands(app, selection);
  AddTrainCommands(app, selection);
  AddSearchCommand(app, selection);
  AddEvaluateCommands(app, selection);
  AddModelCommands(app, selection);
  AddDeploymentCommands(app, selection);
  AddAdapterCommands(app, selection);
  AddPredictCommand(app, selection);
  AddTranslateCommand(app, selection);
  AddChatCommand(app, selection);
  AddEmbedCommand(app, selection);
  AddWordsCommands(app, selection);
  AddTextCommands(app, selection);
  AddJobCommands(app, selection);
  AddTrafficCommands(app, selection);
  AddKeyCommands(app, selection);
  AddDoctorCommand(app, selection);
  app.footer(
      "Start a server with: atelier serve [--data-dir DIR] [--port PORT]   (atelier serve --help)\n"
      "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no server, 130 interrupted");
}

// CLI11 takes "[1,2]" as a list of two values. A space before it keeps the JSON whole and means the same.
std::vector<std::string> Arguments(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    const std::string argument = argv[i];
    arguments.push_back(argument.starts_with('[') ? " " + argument : argument);
  }
  return arguments;
}

void PrintUsageError(const CLI::App& app, const std::string& what, const std::string& first) {
  const bool is_word = !first.empty() && !first.starts_with('-');
  const bool known =
      is_word && !app.get_subcommands([&](const CLI::App* command) { return command->check_name(first); }).empty();
  const std::string message = is_word && !known ? "there is no command '" + first + "'" : what;
  std::fprintf(stderr, "error: %s (usage)\n  see: atelier %s--help\n", Escape(message).c_str(),
               known ? (first + " ").c_str() : "");
}

int RunCommand(int argc, char** argv) {
  Global global;
  Selection selection;
  CLI::App app("Atelier: from data to a model that answers");
  AddCommands(app, global, selection);
  try {
    app.parse(Arguments(argc, argv));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      return app.exit(error);
    }
    PrintUsageError(app, error.what(), argc > 1 ? argv[1] : "");
    return kExitUsage;
  }
  WatchInterrupts();
  auto session = Open(global);
  const Status status = session.ok() ? selection.run(*session) : Status(session.error());
  if (!status.ok()) {
    PrintError(status.error());
    return ExitCode(status.error());
  }
  return kExitOk;
}

}  // namespace

void PrintError(const Error& error) {
  std::string line = "error: " + error.message;
  if (!error.param.empty() && error.reason != "usage" && error.message.find(error.param) == std::string::npos) {
    line += " [" + error.param + "]";
  }
  if (!error.reason.empty()) {
    line += " (" + error.reason + ")";
  }
  std::fprintf(stderr, "%s\n", Escape(line).c_str());
  const auto hint = std::find_if(kHints.begin(), kHints.end(), [&](const Hint& h) { return h.reason == error.reason; });
  if (hint != kHints.end()) {
    std::fprintf(stderr, "  %s\n", std::string(hint->text).c_str());
  }
}

int Run(int argc, char** argv) {
  try {
    return RunCommand(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s (internal)\n", Escape(error.what()).c_str());
    return kExitRefused;
  }
}

}  // namespace atelier::cli

// The list of commands. Each function adds its group to the program; a parsed command leaves what is to be done in the
// selection.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "atelier/cli/session.h"
#include "base/json.h"
#include "base/result.h"

namespace atelier::cli {

void AddDatasetCommands(CLI::App& app, Selection& selection);
void AddDatasetProcess(CLI::App& group, Selection& selection);  // process, split, steps: to the group "dataset"
void AddDatasetTraffic(CLI::App& group, Selection& selection);
void AddTrafficCommands(CLI::App& app, Selection& selection);
void AddTrainCommands(CLI::App& app, Selection& selection);
void AddSearchCommand(CLI::App& app, Selection& selection);
void AddEvaluateCommands(CLI::App& app, Selection& selection);
void AddJobCommands(CLI::App& app, Selection& selection);
void AddModelCommands(CLI::App& app, Selection& selection);
void AddModelImport(CLI::App& group, Selection& selection);  // to the group "model"
void AddModelQuantize(CLI::App& group, Selection& selection);
void AddModelTokenize(CLI::App& group, Selection& selection);
void AddModelPull(CLI::App& group, Selection& selection);
void AddModelExport(CLI::App& group, Selection& selection);
void AddDeploymentCommands(CLI::App& app, Selection& selection);
void AddAdapterCommands(CLI::App& app, Selection& selection);
void AddPredictCommand(CLI::App& app, Selection& selection);
void AddTranslateCommand(CLI::App& app, Selection& selection);
void AddChatCommand(CLI::App& app, Selection& selection);
void AddEmbedCommand(CLI::App& app, Selection& selection);
void AddWordsCommands(CLI::App& app, Selection& selection);
void AddTextCommands(CLI::App& app, Selection& selection);
void AddKeyCommands(CLI::App& app, Selection& selection);
void AddDoctorCommand(CLI::App& app, Selection& selection);

// Until every version of the deployment answers, or one cannot. Errors: kFailedPrecondition "deployment_failed",
// kDeadlineExceeded "deployment_not_ready", those of Api.
Result<boost::json::object> WaitReady(Session& session, const std::string& name, int timeout_s);

// Where the files of a model's version lie now, and what the server says of the version.
struct FetchedVersion {
  std::filesystem::path folder;
  json::object version;
};
// Fetches and verifies the files of NAME, NAME@VERSION or NAME@ALIAS into `to` (empty: NAME-VERSION), which is made.
// Errors: the server's; kDataLoss (a file that arrived changed); kInvalidArgument (a folder that cannot be written).
Result<FetchedVersion> FetchVersion(Session& session, const std::string& text, const std::filesystem::path& to);

}  // namespace atelier::cli

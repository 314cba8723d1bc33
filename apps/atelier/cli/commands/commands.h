// The list of commands. Each function adds its group to the program; a parsed command leaves what is to be done in the
// selection.
#pragma once

#include <CLI/CLI.hpp>

#include "atelier/cli/session.h"

namespace atelier::cli {

void AddDatasetCommands(CLI::App& app, Selection& selection);
void AddTrainCommands(CLI::App& app, Selection& selection);
void AddJobCommands(CLI::App& app, Selection& selection);
void AddModelCommands(CLI::App& app, Selection& selection);
void AddModelImport(CLI::App& group, Selection& selection);  // to the group "model"
void AddModelQuantize(CLI::App& group, Selection& selection);
void AddModelTokenize(CLI::App& group, Selection& selection);
void AddModelPull(CLI::App& group, Selection& selection);
void AddDeploymentCommands(CLI::App& app, Selection& selection);
void AddAdapterCommands(CLI::App& app, Selection& selection);
void AddPredictCommand(CLI::App& app, Selection& selection);
void AddChatCommand(CLI::App& app, Selection& selection);
void AddEmbedCommand(CLI::App& app, Selection& selection);
void AddKeyCommands(CLI::App& app, Selection& selection);
void AddDoctorCommand(CLI::App& app, Selection& selection);

// Until every version of the deployment answers, or one cannot. Errors: kFailedPrecondition "deployment_failed",
// kDeadlineExceeded "deployment_not_ready", those of Api.
Result<boost::json::object> WaitReady(Session& session, const std::string& name, int timeout_s);

}  // namespace atelier::cli

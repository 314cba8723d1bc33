// Settings from the command line, the environment and a file, each checked, in that order of precedence.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/settings.h"

namespace atelier {

// The value of an environment variable, or nothing.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& variable)>;
std::optional<std::string> SystemEnvironment(const std::string& variable);

// Flag wins over environment, over file, over default. `flags` is by flag ("port") or by name ("server.port"); the
// command line makes its flags of kSettings. An empty environment variable counts as absent. "~" at the front of a path
// is the home folder. Errors: kInvalidArgument with the setting as param; the message names the source ("--port",
// "ATELIER_SERVER_PORT", "atelier.yaml:3"); kNotFound when `file` is given and cannot be read.
Result<Settings> LoadSettings(const std::map<std::string, std::string>& flags, const EnvironmentLookup& environment,
                              const std::optional<std::filesystem::path>& file = std::nullopt);

// By name or by flag; nullptr when there is none.
const SettingDescriptor* FindSetting(std::string_view name_or_flag);

// The name of the setting or section that `unknown` was probably meant to be, or "".
std::string NearestSetting(std::string_view unknown);

}  // namespace atelier

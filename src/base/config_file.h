// The YAML file of settings: nested keys, e.g. `server: {port: 8080}`, or dotted ones.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"

namespace atelier {

struct FileSetting {
  std::string text;    // a list's items have commas between
  std::string source;  // "atelier.yaml:3"
};

// By the setting's name; values are not checked yet. Errors: kNotFound (cannot be read), kInvalidArgument (not YAML,
// an unknown key, a key given twice, a value that is no scalar), naming file and line.
Result<std::map<std::string, FileSetting>> ReadSettingsFile(const std::filesystem::path& path);

}  // namespace atelier

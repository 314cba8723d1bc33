#include "base/config.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "base/config_file.h"
#include "base/config_value.h"

namespace atelier {
namespace {

// Levenshtein's distance, one row at a time.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

struct Given {
  std::string text;
  std::string source;
};

// The text of one setting and where it comes from; nothing when the default holds.
std::optional<Given> Choose(const SettingDescriptor& setting, const std::map<std::string, std::string>& flags,
                            const EnvironmentLookup& environment, const std::map<std::string, FileSetting>& file) {
  for (const std::string_view key : {setting.flag, setting.name}) {
    if (const auto found = flags.find(std::string(key)); found != flags.end()) {
      return Given{found->second, "--" + std::string(setting.flag)};
    }
  }
  const std::string variable(setting.environment);
  if (auto value = environment(variable); value && !value->empty()) {
    return Given{*std::move(value), variable};
  }
  if (const auto found = file.find(std::string(setting.name)); found != file.end()) {
    return Given{found->second.text, found->second.source};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> SystemEnvironment(const std::string& variable) {
  const char* value = std::getenv(variable.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

const SettingDescriptor* FindSetting(std::string_view name_or_flag) {
  const auto found = std::find_if(kSettings.begin(), kSettings.end(), [&](const auto& setting) {
    return setting.name == name_or_flag || setting.flag == name_or_flag;
  });
  return found == kSettings.end() ? nullptr : &*found;
}

std::string NearestSetting(std::string_view unknown) {
  constexpr size_t kLongest = 100;  // bounds the work on a hostile key
  if (unknown.size() > kLongest) {
    return "";
  }
  std::string nearest;
  size_t best = std::max<size_t>(2, unknown.size() / 3) + 1;
  const auto consider = [&](std::string_view candidate, std::string_view meant) {
    if (const size_t distance = EditDistance(unknown, candidate); distance < best) {
      best = distance;
      nearest = meant;
    }
  };
  for (const auto& setting : kSettings) {
    consider(setting.name, setting.name);
    consider(setting.flag, setting.name);
    if (const size_t dot = setting.name.rfind('.'); dot != std::string_view::npos) {
      consider(setting.name.substr(dot + 1), setting.name);
      consider(setting.name.substr(0, dot), setting.name.substr(0, dot));
    }
  }
  return nearest;
}

Result<Settings> LoadSettings(const std::map<std::string, std::string>& flags, const EnvironmentLookup& environment,
                              const std::optional<std::filesystem::path>& file) {
  for (const auto& [flag, text] : flags) {
    if (FindSetting(flag) == nullptr) {
      const auto* nearest = FindSetting(NearestSetting(flag));
      const std::string hint = nearest == nullptr ? "" : "; did you mean --" + std::string(nearest->flag) + "?";
      return InvalidArgument("there is no flag --" + flag + hint, flag);
    }
  }
  std::map<std::string, FileSetting> from_file;
  if (file) {
    ATELIER_ASSIGN(read, ReadSettingsFile(*file));
    from_file = std::move(read);
  }
  const std::string home = environment("HOME").value_or("");
  Settings settings;
  for (const auto& setting : kSettings) {
    const auto given = Choose(setting, flags, environment, from_file);
    const std::string text = given ? given->text : std::string(setting.default_text);
    if (auto status = AssignSetting(settings, setting, text, home); !status.ok()) {
      Error error = std::move(status).error();
      error.message = (given ? given->source : "default") + ": " + error.message;
      return error;
    }
  }
  return settings;
}

}  // namespace atelier

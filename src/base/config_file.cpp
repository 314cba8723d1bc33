#include "base/config_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>

#include "base/config.h"

namespace atelier {
namespace {

constexpr size_t kLargestFile = 1U << 20U;

using FileSettings = std::map<std::string, FileSetting>;

bool IsSection(const std::string& name) {
  return std::any_of(kSettings.begin(), kSettings.end(),
                     [&](const auto& setting) { return setting.name.starts_with(name + "."); });
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  // The depth of recursion is that of the names of settings.
  Status ReadSection(const YAML::Node& section, const std::string& prefix) {
    for (const auto& entry : section) {
      const YAML::Node& key = entry.first;
      if (!key.IsScalar()) {
        return Refuse(key, "a key must be a text", prefix);
      }
      const std::string name = prefix.empty() ? key.Scalar() : prefix + "." + key.Scalar();
      const auto* setting = FindSetting(name);
      if (setting != nullptr && setting->name == name) {
        ATELIER_TRY(ReadValue(key, entry.second, *setting));
      } else if (!IsSection(name)) {
        return Unknown(key, name);
      } else if (entry.second.IsMap()) {
        ATELIER_TRY(ReadSection(entry.second, name));
      } else if (!entry.second.IsNull()) {
        return Refuse(key, name + " is a section: its settings go below it", name);
      }
    }
    return {};
  }

  FileSettings Take() { return std::move(found_); }

 private:
  std::string Source(const YAML::Node& node) const { return file_ + ":" + std::to_string(node.Mark().line + 1); }

  Error Refuse(const YAML::Node& node, const std::string& why, const std::string& param) const {
    return InvalidArgument(Source(node) + ": " + why, param);
  }

  Error Unknown(const YAML::Node& key, const std::string& name) const {
    const std::string nearest = NearestSetting(name);
    return Refuse(key, "there is no setting " + name + (nearest.empty() ? "" : "; did you mean " + nearest + "?"),
                  name);
  }

  Status ReadValue(const YAML::Node& key, const YAML::Node& value, const SettingDescriptor& setting) {
    const std::string name(setting.name);
    if (found_.contains(name)) {
      return Refuse(key, name + " is given twice", name);
    }
    const bool list = value.IsSequence() && setting.type == SettingType::kList;
    if (!value.IsScalar() && !list) {
      return Refuse(key, name + (value.IsNull() ? " has no value" : " must be a single value"), name);
    }
    std::string text = list ? "" : value.Scalar();
    for (const auto& item : value) {
      if (!item.IsScalar()) {
        return Refuse(item, name + " must be a list of texts", name);
      }
      text += item.Scalar() + ",";
    }
    found_.emplace(name, FileSetting{std::move(text), Source(key)});
    return {};
  }

  std::string file_;
  FileSettings found_;
};

Result<std::string> ReadText(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text(kLargestFile + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (!stream.eof() && stream.fail()) || std::filesystem::is_directory(path)) {
    return NotFound("the settings file " + path.string() + " cannot be read", "file_not_found");
  }
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() > kLargestFile) {
    return InvalidArgument("the settings file " + path.string() + " has more than 1 MiB");
  }
  return text;
}

}  // namespace

Result<FileSettings> ReadSettingsFile(const std::filesystem::path& path) {
  ATELIER_ASSIGN(text, ReadText(path));
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) {
      return FileSettings{};
    }
    if (!root.IsMap()) {
      return InvalidArgument(path.string() + ":1: the settings file must be a map of settings");
    }
    Reader reader(path.string());
    ATELIER_TRY(reader.ReadSection(root, ""));
    return reader.Take();
  } catch (const YAML::Exception& error) {
    return InvalidArgument(path.string() + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

}  // namespace atelier

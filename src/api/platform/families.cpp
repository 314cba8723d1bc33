// GET /v1/families: what can be trained, with every setting.
#include "families/spec/families.h"
#include "api/handlers.h"
#include "learning/spec/train_settings.h"

namespace atelier::api::platform {
namespace {

std::string_view Name(families::SettingKind kind) {
  switch (kind) {
    case families::SettingKind::kInteger:
      return "integer";
    case families::SettingKind::kNumber:
      return "number";
    case families::SettingKind::kFlag:
      return "boolean";
    case families::SettingKind::kWord:
    case families::SettingKind::kText:
      return "string";
    case families::SettingKind::kList:
      return "list";
  }
  return "";
}

json::array Words(std::string_view words) {
  json::array list;
  for (size_t start = 0; start < words.size();) {
    const size_t end = std::min(words.find('|', start), words.size());
    list.emplace_back(words.substr(start, end - start));
    start = end + 1;
  }
  return list;
}

json::object ToJson(const families::Setting& setting, const json::value& value) {
  json::object object{
      {"name", setting.name}, {"type", Name(setting.kind)}, {"default", value}, {"description", setting.help}};
  if (setting.kind == families::SettingKind::kInteger || setting.kind == families::SettingKind::kNumber) {
    object["minimum"] = setting.min;
    object["maximum"] = setting.max;
  }
  if (!setting.words.empty()) {
    object["enum"] = Words(setting.words);
  }
  return object;
}

Result<json::object> ToJson(const families::Family& family) {
  ATELIER_ASSIGN(defaults, learning::CompleteSettings(std::string(family.name), {}));
  json::array settings;
  for (const auto& table : {family.settings, learning::CommonSettings()}) {
    for (const auto& setting : table) {
      settings.push_back(ToJson(setting, defaults.at(setting.name)));
    }
  }
  return json::object{{"id", family.name},
                      {"object", "family"},
                      {"description", family.summary},
                      {"takes_base", family.takes_base},
                      {"settings", std::move(settings)}};
}

}  // namespace

Result<Response> ListFamilies(const Services& /*services*/, Request& /*request*/) {
  json::array data;
  for (const auto& family : families::Families()) {
    ATELIER_ASSIGN(object, ToJson(family));
    data.push_back(std::move(object));
  }
  return JsonResponse({{"object", "list"}, {"data", std::move(data)}});
}

}  // namespace atelier::api::platform

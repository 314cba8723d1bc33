#include "families/spec/settings.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "base/json.h"

namespace atelier::families {
namespace {

// Levenshtein distance (V. Levenshtein, 1966) in two rows.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

const Setting* Find(const SettingTables& tables, std::string_view name) {
  for (const auto& table : tables.tables) {
    const auto found = std::ranges::find(table, name, &Setting::name);
    if (found != table.end()) {
      return &*found;
    }
  }
  return nullptr;
}

Error UnknownSetting(const SettingTables& tables, std::string_view key) {
  const std::string name(key.substr(0, 64));
  std::string_view nearest;
  size_t best = std::string::npos;
  for (const auto& table : tables.tables) {
    for (const auto& setting : table) {
      const size_t distance = EditDistance(name, setting.name);
      if (distance < best) {
        best = distance;
        nearest = setting.name;
      }
    }
  }
  return InvalidArgument("there is no training setting '" + name + "'; did you mean '" + std::string(nearest) + "'?",
                         "settings." + name, "unknown_parameter");
}

// A value given as text ("5", "true", "[28,28]", "28x28") becomes what it says.
json::value FromText(const Setting& setting, std::string_view text) {
  if (setting.kind == SettingKind::kWord || setting.kind == SettingKind::kText) {
    return json::value(text);
  }
  auto parsed = ParseJson(text);
  const bool list = setting.kind == SettingKind::kList;
  if (parsed.ok() && (!list || parsed->is_array())) {
    return std::move(parsed).value();
  }
  if (list) {
    std::string plain(text);
    std::ranges::replace(plain, 'x', ',');
    if (auto sizes = ParseJson("[" + plain + "]"); sizes.ok()) {
      return std::move(sizes).value();
    }
  }
  return json::value(text);
}

Result<json::value> ReadWord(Fields& fields, const Setting& setting, const std::string& fallback) {
  ATELIER_ASSIGN(word, fields.StringOr(setting.name, fallback, 64));
  std::string list;
  for (size_t start = 0; start <= setting.words.size();) {
    const size_t end = std::min(setting.words.find('|', start), setting.words.size());
    const auto known = setting.words.substr(start, end - start);
    if (known == word) {
      return json::value(word);
    }
    list += (list.empty() ? "" : ", ") + std::string(known);
    start = end + 1;
  }
  const std::string path = fields.Path(setting.name);
  return InvalidArgument("'" + path + "' must be one of " + list + "; got \"" + word + "\"", path);
}

int64_t Whole(double bound) {
  constexpr double kTooLarge = 9.2e18;
  return bound >= kTooLarge ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(bound);
}

Result<json::value> ReadOne(Fields& fields, const Setting& setting, const json::value& fallback) {
  switch (setting.kind) {
    case SettingKind::kInteger: {
      ATELIER_ASSIGN(value,
                     fields.IntOr(setting.name, fallback.to_number<int64_t>(), Whole(setting.min), Whole(setting.max)));
      return json::value(value);
    }
    case SettingKind::kNumber: {
      ATELIER_ASSIGN(value, fields.NumberOr(setting.name, fallback.to_number<double>(), setting.min, setting.max));
      return json::value(value);
    }
    case SettingKind::kFlag: {
      ATELIER_ASSIGN(value, fields.BoolOr(setting.name, fallback.as_bool()));
      return json::value(value);
    }
    case SettingKind::kWord:
      return ReadWord(fields, setting, std::string(fallback.as_string()));
    case SettingKind::kText: {
      ATELIER_ASSIGN(value, fields.StringOr(setting.name, std::string(fallback.as_string())));
      return json::value(value);
    }
    case SettingKind::kList:
      break;
  }
  return Internal("a list is read by its family");
}

json::value FallbackOf(const Setting& setting, std::span<const Default> defaults) {
  const auto own = std::ranges::find(defaults, setting.name, &Default::name);
  return json::parse(std::string(own == defaults.end() ? setting.fallback : own->value));
}

}  // namespace

Result<json::object> ReadSettings(const SettingTables& tables, const json::object& user) {
  json::object plain;
  for (const auto& member : user) {
    const Setting* setting = Find(tables, member.key());
    if (setting == nullptr) {
      return UnknownSetting(tables, member.key());
    }
    const auto& value = member.value();
    plain[member.key()] = value.is_string() ? FromText(*setting, std::string_view(value.get_string())) : value;
  }
  Fields fields(plain, "settings");
  json::object canonical;
  for (const auto& table : tables.tables) {
    for (const auto& setting : table) {
      const json::value fallback = FallbackOf(setting, tables.defaults);
      if (setting.kind == SettingKind::kList) {
        canonical[setting.name] = fields.Has(setting.name) ? plain.at(setting.name) : fallback;
        continue;
      }
      ATELIER_ASSIGN(value, ReadOne(fields, setting, fallback));
      canonical[setting.name] = std::move(value);
    }
  }
  return canonical;
}

}  // namespace atelier::families

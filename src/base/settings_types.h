// What a row of spec/settings.yaml becomes; the rows themselves are generated into base/settings.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace atelier {

struct Settings;

enum class SettingType { kString, kInt, kDouble, kBool, kPath, kDurationMs, kBytes, kEnum, kList };

// Where a setting is kept. Integers, durations and sizes are int64_t; texts and enumerations std::string.
using SettingMember = std::variant<bool Settings::*, int64_t Settings::*, double Settings::*, std::string Settings::*,
                                   std::filesystem::path Settings::*, std::vector<std::string> Settings::*>;

struct SettingDescriptor {
  std::string_view name;         // "server.port"
  std::string_view flag;         // "port", without the dashes
  std::string_view environment;  // "ATELIER_SERVER_PORT"
  SettingType type;
  SettingMember member;
  std::string_view default_text;  // as a person writes it
  // Range of integers, durations and sizes; then of doubles.
  int64_t min;
  int64_t max;
  double min_double;
  double max_double;
  std::string_view choices;  // of an enumeration, "a, b, c"
  std::string_view help;
};

}  // namespace atelier

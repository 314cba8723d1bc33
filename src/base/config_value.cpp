#include "base/config_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <system_error>

namespace atelier {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};
constexpr std::array<Unit, 1> kNoUnits{{{"", 1}}};
constexpr std::array<Unit, 5> kDurations{{{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 6> kSizes{
    {{"", 1}, {"B", 1}, {"KiB", 1LL << 10U}, {"MiB", 1LL << 20U}, {"GiB", 1LL << 30U}, {"TiB", 1LL << 40U}}};

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

// A whole number and a unit, e.g. "30s" or "8 GiB".
std::optional<int64_t> ParseScaled(std::string_view text, std::span<const Unit> units) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) {
    return std::nullopt;
  }
  const std::string_view name = Trim(text.substr(static_cast<size_t>(end - text.data())));
  for (const Unit& unit : units) {
    int64_t scaled = 0;
    if (unit.name == name && !__builtin_mul_overflow(number, unit.factor, &scaled)) {
      return scaled;
    }
  }
  return std::nullopt;
}

std::span<const Unit> UnitsOf(SettingType type) {
  if (type == SettingType::kDurationMs) {
    return kDurations;
  }
  return type == SettingType::kBytes ? std::span<const Unit>(kSizes) : std::span<const Unit>(kNoUnits);
}

// With the largest unit that divides it.
std::string WithUnit(int64_t value, SettingType type) {
  const auto units = UnitsOf(type);
  for (size_t i = units.size(); i-- > 0;) {
    if (value != 0 && value % units[i].factor == 0 && !units[i].name.empty()) {
      return std::to_string(value / units[i].factor) + std::string(units[i].name);
    }
  }
  return std::to_string(value);
}

std::string Expected(const SettingDescriptor& descriptor) {
  const auto range = [&] {
    return " from " + WithUnit(descriptor.min, descriptor.type) + " to " + WithUnit(descriptor.max, descriptor.type);
  };
  switch (descriptor.type) {
    case SettingType::kInt:
      return "an integer" + range();
    case SettingType::kDurationMs:
      return "a duration" + range() + " (250ms, 30s, 5m, 2h)";
    case SettingType::kBytes:
      return "a size" + range() + " (4096, 64KiB, 8GiB)";
    case SettingType::kDouble:
      return "a number from " + std::to_string(descriptor.min_double) + " to " + std::to_string(descriptor.max_double);
    case SettingType::kBool:
      return "true or false";
    case SettingType::kEnum:
      return "one of " + std::string(descriptor.choices);
    case SettingType::kPath:
      return "a path";
    case SettingType::kString:
    case SettingType::kList:
      break;
  }
  return "a text";
}

// What was given, fit for a line of a terminal.
std::string Shown(std::string_view text) {
  constexpr size_t kLongest = 60;
  std::string shown(text.substr(0, kLongest));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7F; }, '?');
  return "'" + shown + (text.size() > kLongest ? "...'" : "'");
}

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = Trim(text.substr(0, comma));
    if (!item.empty()) {
      items.emplace_back(item);
    }
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

bool IsChoice(std::string_view choices, std::string_view text) {
  const auto all = Split(choices);
  return std::find(all.begin(), all.end(), text) != all.end();
}

// One overload a kind of member: puts the value there, or says that the text is wrong.
struct Assigner {
  Settings& settings;
  const SettingDescriptor& descriptor;
  std::string_view text;
  const std::string& home;

  bool operator()(bool Settings::*member) const {
    if (text != "true" && text != "false" && text != "1" && text != "0") {
      return false;
    }
    settings.*member = text == "true" || text == "1";
    return true;
  }
  bool operator()(int64_t Settings::*member) const {
    const auto value = ParseScaled(text, UnitsOf(descriptor.type));
    if (!value || *value < descriptor.min || *value > descriptor.max) {
      return false;
    }
    settings.*member = *value;
    return true;
  }
  bool operator()(double Settings::*member) const {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (!whole || !(value >= descriptor.min_double && value <= descriptor.max_double)) {
      return false;
    }
    settings.*member = value;
    return true;
  }
  bool operator()(std::string Settings::*member) const {
    if (descriptor.type == SettingType::kEnum && !IsChoice(descriptor.choices, text)) {
      return false;
    }
    settings.*member = std::string(text);
    return true;
  }
  bool operator()(std::filesystem::path Settings::*member) const {
    const bool in_home = text == "~" || text.starts_with("~/");
    if (text.empty() || text.find('\0') != std::string_view::npos || (in_home && home.empty())) {
      return false;
    }
    settings.*member = in_home ? home + std::string(text.substr(1)) : std::string(text);
    return true;
  }
  bool operator()(std::vector<std::string> Settings::*member) const {
    settings.*member = Split(text);
    return true;
  }
};

}  // namespace

Status AssignSetting(Settings& settings, const SettingDescriptor& descriptor, std::string_view text,
                     const std::string& home) {
  const std::string_view trimmed = Trim(text);
  if (std::visit(Assigner{settings, descriptor, trimmed, home}, descriptor.member)) {
    return {};
  }
  const std::string name(descriptor.name);
  if (descriptor.type == SettingType::kPath && trimmed.starts_with('~') && home.empty()) {
    return InvalidArgument(name + " begins with '~', but HOME is not set", name);
  }
  return InvalidArgument(name + " must be " + Expected(descriptor) + ", not " + Shown(text), name);
}

}  // namespace atelier

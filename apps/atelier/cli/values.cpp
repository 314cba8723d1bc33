#include "atelier/cli/values.h"

#include <charconv>
#include <cmath>

#include "base/json.h"

namespace atelier::cli {
namespace {

std::vector<std::string_view> SplitAt(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

template <class Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  return ec == std::errc() && end == text.data() + text.size();
}

bool IsWhole(double value) { return value == std::floor(value) && std::abs(value) < 1e15; }

// "a..b" or "a..b:log"; null where it is no range.
json::value ParseRange(std::string_view text) {
  const bool logarithmic = text.ends_with(":log");
  text = logarithmic ? text.substr(0, text.size() - 4) : text;
  const size_t dots = text.find("..");
  double least = 0;
  double most = 0;
  if (dots == std::string_view::npos || !ParseNumber(text.substr(0, dots), least) ||
      !ParseNumber(text.substr(dots + 2), most)) {
    return nullptr;
  }
  const bool whole = IsWhole(least) && IsWhole(most) && text.find_first_of("eE") == std::string_view::npos;
  return json::value{{"min", least}, {"max", most}, {"log", logarithmic}, {"integer", whole}};
}

Result<json::value> ParseDimension(std::string_view text) {
  if (text.starts_with('[') || text.starts_with('{')) {
    return ParseJson(text);
  }
  if (auto range = ParseRange(text); !range.is_null()) {
    return range;
  }
  json::array values;
  for (const std::string_view part : SplitAt(text, text.find('|') == std::string_view::npos ? ',' : '|')) {
    const auto parsed = ParseJson(part);
    values.push_back(parsed.ok() ? *parsed : json::value(part));
  }
  return json::value(std::move(values));
}

}  // namespace

Error Usage(std::string message, std::string param) {
  return InvalidArgument(std::move(message), std::move(param), "usage");
}

std::string_view Trim(std::string_view text, std::string_view space) {
  const size_t first = text.find_first_not_of(space);
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(space) - first + 1);
}

Result<std::pair<std::string, json::value>> ParseSetting(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Usage("'" + std::string(text) + "' must be key=value");
  }
  std::string key(text.substr(0, equals));
  const std::string_view value = text.substr(equals + 1);
  auto parsed = ParseJson(value);
  const bool is_text = !parsed.ok() || (key == "layers" && !parsed->is_array() && !parsed->is_string());
  if (is_text && (value.starts_with('[') || value.starts_with('{'))) {
    return Usage("the value of '" + key + "' is not well-formed JSON: " + parsed.error().message);
  }
  return std::pair(std::move(key), is_text ? json::value(value) : std::move(*parsed));
}

Result<json::object> ParseSettings(const std::vector<std::string>& texts) {
  json::object settings;
  for (const auto& text : texts) {
    ATELIER_ASSIGN(setting, ParseSetting(text));
    if (settings.contains(setting.first)) {
      return Usage("'" + setting.first + "' is set twice");
    }
    settings[setting.first] = std::move(setting.second);
  }
  return settings;
}

Result<json::array> ParseFractions(std::string_view text) {
  json::array fractions;
  double sum = 0;
  for (const auto part : SplitAt(text, ',')) {
    double fraction = 0;
    if (!ParseNumber(part, fraction) || !(fraction >= 0 && fraction <= 1)) {
      return Usage("'" + std::string(part) + "' must be a fraction from 0 to 1");
    }
    sum += fraction;
    fractions.emplace_back(fraction);
  }
  if (fractions.size() > 3 || std::abs(sum - 1) > 1e-6) {
    return Usage("'" + std::string(text) +
                 "' must be at most three fractions (train,validation,test) that add up to 1");
  }
  while (fractions.size() < 3) {
    fractions.emplace_back(0.0);
  }
  return fractions;
}

Result<json::array> ParseTraffic(std::string_view text) {
  json::array versions;
  int64_t sum = 0;
  for (const auto part : SplitAt(text, ',')) {
    const size_t equals = part.find('=');
    int64_t version = 0;
    int64_t weight = 0;
    if (equals == std::string_view::npos || !ParseNumber(part.substr(0, equals), version) ||
        !ParseNumber(part.substr(equals + 1), weight) || version < 1 || weight < 0 || weight > 100) {
      return Usage("'" + std::string(part) + "' must be VERSION=PERCENT");
    }
    sum += weight;
    versions.push_back(json::object{{"version", version}, {"weight", weight}});
  }
  if (sum != 100) {
    return Usage("the percentages of '" + std::string(text) + "' must add up to 100");
  }
  return versions;
}

Result<json::object> ParseSpace(const std::vector<std::string>& texts) {
  json::object space;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      return Usage("'" + text + "' must be SETTING=VALUES", "space");
    }
    const std::string_view values = std::string_view(text).substr(equals + 1);
    ATELIER_ASSIGN(dimension, ParseDimension(values));
    space[std::string_view(text).substr(0, equals)] = std::move(dimension);
  }
  return space;
}

Result<json::value> ParseGate(std::string_view text) {
  if (text == "none") {
    return json::value(nullptr);
  }
  const size_t sign = text.find_first_of("<>");
  double bound = 0;
  if (sign == std::string_view::npos || sign + 1 >= text.size() || text[sign + 1] != '=' ||
      !ParseNumber(Trim(text.substr(sign + 2)), bound) || Trim(text.substr(0, sign)).empty()) {
    return Usage("'" + std::string(text) + "' must be METRIC>=NUMBER, METRIC<=NUMBER or none", "gate");
  }
  return json::value{{"metric", Trim(text.substr(0, sign))}, {text[sign] == '>' ? "at_least" : "at_most", bound}};
}

Reference ParseReference(std::string_view text, std::string_view fallback) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos) {
    return {std::string(text), std::string(fallback)};
  }
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

Result<int64_t> ParseDuration(std::string_view text) {
  int64_t number = 0;
  const std::string_view units = "smhd";
  const size_t unit = text.empty() ? std::string_view::npos : units.find(text.back());
  if (unit == std::string_view::npos || !ParseNumber(text.substr(0, text.size() - 1), number) || number < 1 ||
      number > 1'000'000) {
    return Usage("'" + std::string(text) + "' must be a duration such as 15m, 12h or 30d");
  }
  static constexpr int64_t kSeconds[] = {1, 60, 3600, 86400};
  return number * kSeconds[unit];
}

}  // namespace atelier::cli

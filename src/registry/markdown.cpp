#include "registry/markdown.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace atelier::registry {
namespace {

namespace json = boost::json;

template <class... Values>
std::string Format(const char* pattern, Values... values) {
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), pattern, values...);
  return std::string(text.data(), static_cast<size_t>(std::clamp(length, 0, static_cast<int>(text.size()) - 1)));
}

}  // namespace

std::string EscapeMarkdown(std::string_view text) {
  constexpr std::string_view kSpecial = "\\`*[]|#~!$";
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      escaped += ' ';
    } else {
      if (kSpecial.find(c) != std::string_view::npos) {
        escaped += '\\';
      }
      escaped += c;
    }
  }
  return escaped;
}

std::string ShowValue(const json::value& value) {
  if (value.is_string()) {
    return EscapeMarkdown(value.get_string());
  }
  if (value.is_double()) {
    return Format("%.6g", value.get_double());
  }
  return value.is_null() ? std::string() : EscapeMarkdown(json::serialize(value));
}

std::string ShowTime(int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm parts{};
  std::array<char, 64> text{};
  if (gmtime_r(&seconds, &parts) == nullptr) {
    return std::to_string(unix_ms);
  }
  return std::string(text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts));
}

std::string ShowBytes(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"bytes", "kB", "MB", "GB", "TB"};
  auto amount = static_cast<double>(bytes);
  size_t unit = 0;
  while (amount >= 1000 && unit + 1 < kUnits.size()) {
    amount /= 1000;
    ++unit;
  }
  return unit == 0 ? std::to_string(bytes) + " bytes" : Format("%.1f %s", amount, kUnits.at(unit));
}

std::string Table(std::string_view left, std::string_view right, const Rows& rows) {
  std::string text;
  for (const auto& [name, value] : rows) {
    if (!value.empty()) {
      text += "| " + name + " | " + value + " |\n";
    }
  }
  if (text.empty()) {
    return "";
  }
  return "| " + std::string(left) + " | " + std::string(right) + " |\n| --- | --- |\n" + text + "\n";
}

Rows Scalars(const json::object& object, size_t limit) {
  Rows rows;
  const auto add = [&](const std::string& name, const json::value& value) {
    if (!value.is_structured() && rows.size() < limit) {
      rows.emplace_back(EscapeMarkdown(name), ShowValue(value));
    }
  };
  for (const auto& member : object) {
    const std::string name(member.key());
    add(name, member.value());
    if (member.value().is_object()) {
      for (const auto& inner : member.value().get_object()) {
        add(name + "." + std::string(inner.key()), inner.value());
      }
    }
  }
  return rows;
}

}  // namespace atelier::registry

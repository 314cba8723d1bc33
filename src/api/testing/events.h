// Reading streams of events.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace atelier::api::test {

// The data of the events in `text` that are JSON objects, in order.
inline std::vector<json::object> Events(const std::string& text) {
  std::vector<json::object> events;
  for (size_t at = text.find("data: {"); at != std::string::npos; at = text.find("data: {", at + 1)) {
    const auto value = ParseJson(text.substr(at + 6, text.find('\n', at) - at - 6));
    events.push_back(value.ok() && value->is_object() ? value->get_object() : json::object{{"broken", true}});
  }
  return events;
}

// Their types, joined by blanks.
inline std::string Types(const std::vector<json::object>& events) {
  std::string types;
  for (const auto& event : events) {
    types += (types.empty() ? "" : " ") + GetString(event, "type", "?");
  }
  return types;
}

}  // namespace atelier::api::test

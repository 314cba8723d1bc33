#include "api/http/sse.h"

#include <algorithm>

namespace atelier::api::http {

std::string FormatEvent(std::optional<int64_t> id, std::string_view event, std::string_view data) {
  std::string out;
  out.reserve(data.size() + event.size() + 48);
  if (id.has_value()) {
    out += "id: " + std::to_string(*id) + "\n";
  }
  if (!event.empty()) {
    out.append("event: ").append(event).append("\n");
  }
  while (true) {
    const auto end = std::min(data.find_first_of("\r\n"), data.size());
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == data.size()) {
      break;
    }
    const bool pair = data[end] == '\r' && end + 1 < data.size() && data[end + 1] == '\n';
    data.remove_prefix(end + (pair ? 2 : 1));
  }
  out += '\n';
  return out;
}

}  // namespace atelier::api::http

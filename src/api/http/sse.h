// Server-sent events (WHATWG HTML, section 9.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atelier::api::http {

// One event in wire form. `data` may hold line ends: each line becomes a data line. `event` must hold none.
std::string FormatEvent(std::optional<int64_t> id, std::string_view event, std::string_view data);

inline constexpr std::string_view kPing = ": ping\n\n";

}  // namespace atelier::api::http

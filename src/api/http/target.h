// Request targets: percent-decoding, once, and the split into path segments and query.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace atelier::api::http {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Target {
  std::string authority;              // of the absolute form "http://host/path"; else empty
  std::string path;                   // as sent, for logs
  std::vector<std::string> segments;  // decoded
  // Empty and dot segments and backslashes: other programs might read them as other paths, so no route has them.
  bool ambiguous = false;
  Pairs query;  // decoded

  std::optional<std::string_view> Query(std::string_view name) const;
};

// Errors: kInvalidArgument (bad escapes, %00 and other control characters, invalid UTF-8).
Result<std::string> PercentDecode(std::string_view text, bool plus_is_space);
// As above; also where the target is neither "/path" nor "http://host/path".
Result<Target> ParseTarget(std::string_view raw);

}  // namespace atelier::api::http

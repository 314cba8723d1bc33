// YAML as JSON, for what people write in files.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::cli {

// Scalars become what YAML 1.2's core schema makes of them: null, true, numbers; quoted ones are texts. At most 1 MiB
// of text, 32 levels and 100,000 values, aliases counted each time. Errors: kInvalidArgument "usage" with the line.
Result<boost::json::value> ParseYaml(std::string_view text, const std::string& name);

}  // namespace atelier::cli

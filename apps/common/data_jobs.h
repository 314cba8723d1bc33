// The bodies of `import` and `process` jobs, shared by the two programs that run them.
#pragma once

#include <span>
#include <string>

#include "base/json.h"
#include "data/importer.h"
#include "jobs/host.h"

namespace atelier::apps {

// The body of that kind over these formats. Errors: kInvalidArgument for a kind that is none of these.
Result<jobs::Body> DataJobBody(const std::string& kind, std::span<const data::Format* const> formats);

// A blob reference as job specifications write it: {"sha256", "size"}.
Result<storage::BlobRef> BlobFromJson(const json::object& object, const std::string& path);

}  // namespace atelier::apps

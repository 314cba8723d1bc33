// The bodies of `import`, `process` and `preview` jobs, shared by the two programs that run them.
#pragma once

#include <span>
#include <string>

#include "data/importer.h"
#include "data/steps/media_tools.h"
#include "jobs/host.h"

namespace atelier::apps {

// The body of that kind over these formats. `media` is null in a program without the libraries for pictures and sounds.
// Errors: kInvalidArgument for a kind that is none of these.
Result<jobs::Body> DataJobBody(const std::string& kind, std::span<const data::Format* const> formats,
                               const data::steps::MediaTools* media = nullptr);

}  // namespace atelier::apps

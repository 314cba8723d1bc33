// Finding what a /v2 path names.
#pragma once

#include "api/request.h"
#include "api/services.h"
#include "serving/deployments.h"

namespace atelier::api::kserve {

// The deployment {model}, which serves {version} if the path has one. Errors: kNotFound.
Result<serving::DeploymentStatus> FindServed(const Services& services, const Request& request);

}  // namespace atelier::api::kserve

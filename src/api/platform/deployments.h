// What the handlers of deployments share.
#pragma once

#include "api/request.h"
#include "api/services.h"
#include "base/json.h"
#include "base/result.h"
#include "serving/deployments.h"

namespace atelier::api::platform {

// The workers follow the catalogue, which has a change already, and keeps it, as soon as they can.
void FollowCatalogue(const Services& services, const Request& request);

// What serving knows of a deployment; before it knows, what the registry has.
Result<serving::DeploymentStatus> FindStatus(const Services& services, const std::string& name);

// The adapters of a deployment, as objects.
json::array AdapterObjects(const serving::DeploymentStatus& status);

}  // namespace atelier::api::platform

// The kinds of jobs this server runs: which program does the work, and what its success publishes.
#pragma once

#include <vector>

#include "data/store.h"
#include "jobs/job.h"
#include "registry/registry.h"

namespace atelier::apps {

// The kinds borrow the two stores.
std::vector<jobs::Kind> JobKinds(data::Store& datasets, registry::Registry& registry);

}  // namespace atelier::apps

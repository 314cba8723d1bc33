// The manager over any source of wishes; Manager::Start is this over the registry.
#pragma once

#include <memory>

#include "serving/deployments.h"
#include "serving/wishes.h"

namespace atelier::serving {

// Reads the wishes once and starts their workers. All references are borrowed. Errors: those of the source, kInternal.
Result<std::unique_ptr<Manager>> StartManager(WishSource wishes, storage::BlobStore& blobs, Clock& clock, Rng& rng,
                                              ManagerOptions options);

}  // namespace atelier::serving

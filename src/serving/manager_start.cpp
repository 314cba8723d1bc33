#include "serving/manager.h"

namespace atelier::serving {

Result<std::unique_ptr<Manager>> Manager::Start(registry::Registry& registry, storage::BlobStore& blobs, Clock& clock,
                                                Rng& rng, ManagerOptions options) {
  return StartManager(RegistryWishes(registry), blobs, clock, rng, std::move(options));
}

}  // namespace atelier::serving

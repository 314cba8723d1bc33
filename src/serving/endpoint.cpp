#include "serving/endpoint.h"

#include <utility>

namespace atelier::serving {
namespace {

constexpr int64_t kProbeTimeoutMs = 2000;
constexpr int64_t kAdapterTimeoutMs = 120'000;

}  // namespace

bool Endpoint::BeginProbe() {
  return known_.With([](Known& known) { return !std::exchange(known.probing, true); });
}

void Endpoint::ProbeSignature(int64_t now_ms) {
  if (!BeginProbe()) {
    return;
  }
  client_.Describe(kProbeTimeoutMs, [self = shared_from_this(), now_ms](Result<Signature> signature) {
    self->known_.With([&](Known& known) {
      known.probing = false;
      if (signature.ok()) {
        known.signature = std::make_shared<const Signature>(std::move(signature).value());
        known.last_answer_ms = now_ms;
        known.last_progress_ms = now_ms;
      }
    });
  });
}

void Endpoint::ProbeHealth(int64_t now_ms) {
  if (!BeginProbe()) {
    return;
  }
  client_.Health(kProbeTimeoutMs, [self = shared_from_this(), now_ms](Result<WorkerHealth> health) {
    self->known_.With([&](Known& known) {
      known.probing = false;
      if (!health.ok()) {
        return;
      }
      const bool idle = health->queued + health->running == 0;
      if (idle || health->steps != known.health.steps) {
        known.last_progress_ms = now_ms;
      }
      known.last_answer_ms = now_ms;
      known.health = *health;
    });
    if (health.ok()) {
      self->suspect_.store(false, std::memory_order_relaxed);
    }
  });
}

void Endpoint::Drain(int64_t timeout_ms) {
  client_.Drain(timeout_ms, [self = shared_from_this()](const Status&) {
    // An error means that nobody is left to drain.
    self->known_.With([](Known& known) { known.drained = true; });
  });
}

void Endpoint::LoadAdapter(const std::string& name, const std::string& folder, Result<std::filesystem::path> path) {
  adapters_.With([&](auto& adapters) {
    adapters[name] = {folder, path.ok(), path.ok() ? std::nullopt : std::optional(path.error()), {}};
  });
  if (!path.ok()) {
    return;
  }
  client_.LoadAdapter(name, path->string(), kAdapterTimeoutMs,
                      [self = shared_from_this(), name](const Result<engine::AdapterInfo>& info) {
                        self->adapters_.With([&](auto& adapters) {
                          EndpointAdapter& adapter = adapters[name];
                          adapter.busy = false;
                          if (info.ok()) {
                            adapter.info = *info;
                          } else {
                            adapter.error = info.error();
                          }
                        });
                      });
}

void Endpoint::UnloadAdapter(const std::string& name) {
  adapters_.With([&](auto& adapters) { adapters[name].busy = true; });
  // An error means that there is none to unload, or nobody who has it.
  client_.UnloadAdapter(name, kAdapterTimeoutMs, [self = shared_from_this(), name](const Status&) {
    self->adapters_.With([&](auto& adapters) { adapters.erase(name); });
  });
}

Status Endpoint::CheckAdapter(const std::string& name) const {
  return adapters_.With([&](const auto& adapters) -> Status {
    const auto found = adapters.find(name);
    if (found == adapters.end() || found->second.busy) {
      return Unavailable("The adapter '" + name + "' is loading", "model_loading");
    }
    return found->second.error ? Status(*found->second.error) : Status();
  });
}

bool Endpoint::Reserve(int instances, int limit) {
  if (under_way_.fetch_add(instances, std::memory_order_relaxed) + instances > limit) {
    Release(instances);
    return false;
  }
  return true;
}

}  // namespace atelier::serving

#include "serving/worker_adapters.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "serving/model_folder.h"

namespace atelier::serving {

void WorkerAdapters::Load(Launcher& launcher, Endpoint& endpoint, const WishedAdapter& adapter) {
  const std::string folder = ModelFolderName(adapter.version);
  auto& layout = layouts_[folder];
  if (!layout.valid()) {
    layout = launcher.LayOut(adapter.version);
  }
  if (layout.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    return;
  }
  endpoint.LoadAdapter(adapter.name, folder, layout.get());
  layouts_.erase(folder);
}

void WorkerAdapters::Tick(Launcher& launcher, Endpoint& endpoint) {
  const auto known = endpoint.adapters();
  bool leaving = false;
  for (const auto& [name, one] : known) {
    const bool wanted = std::ranges::find(wanted_, name, &WishedAdapter::name) != wanted_.end();
    if (!wanted && !one.busy) {
      endpoint.UnloadAdapter(name);
    }
    leaving = leaving || !wanted;
  }
  settled_ = !leaving;
  for (const WishedAdapter& adapter : wanted_) {
    const auto found = known.find(adapter.name);
    const bool busy = found != known.end() && found->second.busy;
    const bool other = found == known.end() || found->second.folder != ModelFolderName(adapter.version);
    settled_ = settled_ && !busy && !other;
    if (other && !busy && !leaving) {  // there may be no room before
      Load(launcher, endpoint, adapter);
    }
  }
  met_ = met_ || settled_;
}

std::vector<AdapterStatus> WorkerAdapters::Status(const Endpoint* endpoint) const {
  const auto known = endpoint == nullptr ? std::map<std::string, EndpointAdapter>() : endpoint->adapters();
  std::vector<AdapterStatus> out;
  for (const WishedAdapter& adapter : wanted_) {
    AdapterStatus status{.name = adapter.name};
    const auto found = known.find(adapter.name);
    if (found != known.end() && !found->second.busy && found->second.folder == ModelFolderName(adapter.version)) {
      status.error = found->second.error;
      status.state = status.error ? WorkerState::kFailed : WorkerState::kReady;
      status.rank = found->second.info.rank;
      status.bytes = found->second.info.bytes;
    }
    out.push_back(std::move(status));
  }
  return out;
}

}  // namespace atelier::serving

// The adapters that one worker should have: lays them out, loads and unloads them until it has.
#pragma once

#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "registry/registry.h"
#include "serving/deployments.h"
#include "serving/endpoint.h"
#include "serving/launcher.h"

namespace atelier::serving {

struct WishedAdapter {
  std::string name;
  registry::ModelVersion version;
};

// Not thread-safe.
class WorkerAdapters {
 public:
  void Want(std::vector<WishedAdapter> wanted) { wanted_ = std::move(wanted); }
  // Another process: it has none.
  void Reset() { met_ = false; }
  // One look at a process that is ready, and what there is to do next; nothing blocks.
  void Tick(Launcher& launcher, Endpoint& endpoint);

  bool settled() const { return settled_; }  // the process had what was wanted, or could not, at the last look
  bool met() const { return met_; }          // that was so once
  // In their order; `endpoint` may be nullptr.
  std::vector<AdapterStatus> Status(const Endpoint* endpoint) const;

 private:
  void Load(Launcher& launcher, Endpoint& endpoint, const WishedAdapter& adapter);

  std::vector<WishedAdapter> wanted_;
  std::map<std::string, std::future<Result<std::filesystem::path>>> layouts_;  // under way, by ModelFolderName
  bool settled_ = true;
  bool met_ = false;
};

}  // namespace atelier::serving

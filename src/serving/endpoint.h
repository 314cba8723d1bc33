// One running worker process as probes and requests see it.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/guarded.h"
#include "serving/generation_metrics.h"
#include "serving/predictor.h"
#include "serving/serving_metrics.h"
#include "serving/worker_client.h"

namespace atelier::serving {

// An adapter as a worker's process has it.
struct EndpointAdapter {
  std::string folder;            // ModelFolderName of its version
  bool busy = false;             // a call about it is under way
  std::optional<Error> error{};  // why it is not loaded
  engine::AdapterInfo info{};
};

// Thread-safe. Shared by the supervisor and by the callbacks of calls under way, which may outlive the process.
class Endpoint : public std::enable_shared_from_this<Endpoint> {
 public:
  // What the probes have learnt so far.
  struct Known {
    std::shared_ptr<const Signature> signature;  // nullptr until Describe answered; shared with answers
    WorkerHealth health;
    int64_t last_answer_ms = 0;
    int64_t last_progress_ms = 0;
    bool drained = false;
    bool probing = false;  // a probe is under way
  };

  explicit Endpoint(const std::string& socket_path) : client_(socket_path) {}

  WorkerClient& client() { return client_; }
  Known known() const {
    return known_.With([](const Known& known) { return known; });
  }
  // Each asks once unless a probe is under way; times are those of asking.
  void ProbeSignature(int64_t now_ms);
  void ProbeHealth(int64_t now_ms);
  void Drain(int64_t timeout_ms);

  // Of a generative model. Loads what was laid out at `path`, or notes why it was not.
  void LoadAdapter(const std::string& name, const std::string& folder, Result<std::filesystem::path> path);
  void UnloadAdapter(const std::string& name);
  std::map<std::string, EndpointAdapter> adapters() const {
    return adapters_.With([](const auto& adapters) { return adapters; });
  }
  // Whether a request may name it. Errors: kUnavailable "model_loading", or why it could not be loaded.
  Status CheckAdapter(const std::string& name) const;

  // A request saw the connection break; no route leads here until a probe is answered.
  void Suspect() { suspect_.store(true, std::memory_order_relaxed); }
  bool suspect() const { return suspect_.load(std::memory_order_relaxed); }

  // Counts instances under way; false (and nothing counted) when they would be more than `limit`.
  bool Reserve(int instances, int limit);
  void Release(int instances) { under_way_.fetch_sub(instances, std::memory_order_relaxed); }

 private:
  bool BeginProbe();

  WorkerClient client_;
  Guarded<Known> known_;
  Guarded<std::map<std::string, EndpointAdapter>> adapters_;
  std::atomic<bool> suspect_{false};
  std::atomic<int> under_way_{0};
};

// The right to send requests to a worker: routes and requests hold it (shared), and a worker is drained only after the
// last holder let go.
struct Lease {
  std::shared_ptr<Endpoint> endpoint;
  std::string deployment;
  std::string model_name;
  int64_t version = 0;
  std::shared_ptr<const Signature> signature;
  std::shared_ptr<const ModelMetrics> metrics;
  std::shared_ptr<const GenerationMetrics> generation_metrics;  // of language models; may be nullptr
  int max_under_way = 0;                                        // instances

  bool usable() const { return !endpoint->suspect(); }
};

}  // namespace atelier::serving

// vLLM's metric names for one served version of a language model, so that its dashboards and autoscalers work here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "engine/generation.h"
#include "serving/worker_client.h"

namespace atelier::serving {

// Thread-safe. Labels: "model_name", the deployment; "engine", vLLM's word for one of several replicas, the version.
class GenerationMetrics {
 public:
  GenerationMetrics(Metrics& metrics, const std::string& deployment, int64_t version);
  ~GenerationMetrics();
  GenerationMetrics(const GenerationMetrics&) = delete;
  GenerationMetrics& operator=(const GenerationMetrics&) = delete;

  // What the worker says of itself; nothing of it is left when this ends.
  void Observe(const WorkerHealth& health) const;

 private:
  friend class GenerationWatch;
  struct Series;
  std::unique_ptr<const Series> series_;
};

// One generation as it passes by. Not thread-safe. Without metrics it does nothing.
class GenerationWatch {
 public:
  // `clock` is borrowed.
  GenerationWatch(std::shared_ptr<const GenerationMetrics> metrics, Clock& clock)
      : metrics_(std::move(metrics)), clock_(clock), begun_ns_(clock.MonotonicNs()) {}

  void OnDeltas(const std::vector<engine::GenerationDelta>& deltas);
  void OnDone(const Status& status, const engine::GenerationUsage& usage) const;

 private:
  std::shared_ptr<const GenerationMetrics> metrics_;
  Clock& clock_;
  int64_t begun_ns_;
  int64_t last_ns_ = 0;  // of the newest tokens; 0: there were none
};

}  // namespace atelier::serving

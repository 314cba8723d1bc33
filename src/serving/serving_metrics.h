// Triton's metric names for one served model version, so that its dashboards work here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"

namespace atelier::serving {

// Thread-safe. With no registry it does nothing.
class ModelMetrics {
 public:
  struct Timing {
    int64_t request_ns = 0;
    int64_t queue_ns = 0;
    int64_t compute_ns = 0;
  };

  ModelMetrics(Metrics* metrics, const std::string& model, int64_t version);
  ~ModelMetrics();

  void Begin() const;  // a request was sent; followed by one Success or Failure
  void Success(int instances, const Timing& timing) const;
  void Failure(const Error& error) const;
  void Executed(uint64_t batches) const;

 private:
  struct Series;
  prometheus::Counter& FailureCounter(const Error& error) const;

  std::unique_ptr<const Series> series_;  // nullptr: no registry
};

}  // namespace atelier::serving

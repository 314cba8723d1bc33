// One compute thread over a BatchQueue and a Predictor.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "serving/batch_queue.h"

namespace atelier::serving {

// Thread-safe. Borrows the predictor and the clock. Destroyed, it finishes what waits, then ends its thread.
class Batcher {
 public:
  struct Stats {
    uint64_t steps = 0;  // batches computed
    int queued = 0;      // instances
    int running = 0;     // instances
    bool draining = false;
  };

  Batcher(Predictor& predictor, BatchOptions options, Clock& clock);
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // On success `request.done` will be called once, from the compute thread. Errors (then it is not called):
  // kResourceExhausted "queue_full", kUnavailable "draining".
  Status Submit(BatchRequest request);
  Stats stats() const;
  // Refuses new requests from now on; calls `drained` when nothing is under way, from the compute thread.
  void Drain(std::function<void()> drained);

 private:
  void Loop();
  // False when the thread should end.
  bool Next(BatchQueue::Batch& batch);
  void Compute(const BatchQueue::Batch& batch);
  void ComputeSlices(std::span<const BatchQueue::Slice> slices);
  Result<std::vector<Answer>> Forward(const std::vector<const Prepared*>& instances);

  Predictor& predictor_;
  Clock& clock_;
  // Not Guarded<T>: the condition variable needs the mutex itself.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  BatchQueue queue_;
  uint64_t steps_ = 0;
  bool draining_ = false;
  bool stopping_ = false;
  std::vector<std::function<void()>> drained_;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace atelier::serving

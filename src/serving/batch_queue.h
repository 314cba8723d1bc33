// The waiting requests of a worker and the decision when a batch starts and what is in it. No threads, no clock: times
// are arguments, in nanoseconds of Clock::MonotonicNs.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "serving/batch_options.h"
#include "serving/predictor.h"

namespace atelier::serving {

struct BatchAnswer {
  std::vector<Answer> answers;  // one an instance, in order
  int64_t queue_ns = 0;         // the first instance's wait
  int64_t compute_ns = 0;       // of the batch that held the first instance
  int batch_size = 0;           // instances in that batch
};

struct BatchRequest {
  std::vector<std::unique_ptr<Prepared>> instances;
  int64_t deadline_ns = std::numeric_limits<int64_t>::max();
  std::shared_ptr<const std::atomic<bool>> cancelled;  // shared with the call it belongs to; may be nullptr
  std::function<void(Result<BatchAnswer>)> done;       // called exactly once
};

// Not thread-safe.
class BatchQueue {
 public:
  // A request under way. Shared: a large one is in the running batch and in the queue at once.
  struct Ticket {
    BatchRequest request;
    int64_t arrived_ns = 0;
    size_t taken = 0;  // instances handed to batches so far
    BatchAnswer answer;
    bool finished = false;  // `done` was called
  };
  using TicketPtr = std::shared_ptr<Ticket>;
  struct Slice {
    TicketPtr ticket;
    size_t begin = 0;
    size_t count = 0;
  };
  struct Batch {
    std::vector<Slice> slices;
    std::vector<std::pair<TicketPtr, Error>> dropped;  // expired or cancelled before computing
  };

  explicit BatchQueue(BatchOptions options) : options_(options) {}

  // Errors: kResourceExhausted "queue_full"; then `request` is unchanged. A request larger than the whole queue is
  // taken when nothing waits, so that every legal request can be served.
  Status Add(BatchRequest& request, int64_t now_ns);

  // When the next batch should start: at once (a time that has passed) when it is full, waiting is off, or nobody else
  // can be expected; otherwise when the oldest request has waited max_delay. nullopt: nothing waits.
  // Who can be expected: as many requests as were lately under way together. A lone client thus never waits.
  std::optional<int64_t> StartsAtNs() const;

  // Takes up to max_batch instances, oldest first, and what must be dropped. The batch counts as running until Finish.
  Batch Take(int64_t now_ns);
  void Finish();

  int queued() const { return queued_; }    // instances
  int running() const { return running_; }  // instances
  bool empty() const { return waiting_.empty(); }

 private:
  size_t Company() const { return std::max(peak_, former_peak_); }
  void NoteArrival();

  BatchOptions options_;
  std::deque<TicketPtr> waiting_;
  int queued_ = 0;
  int running_ = 0;
  size_t running_requests_ = 0;
  // The most requests under way together, over this and the former window of arrivals.
  size_t peak_ = 1;
  size_t former_peak_ = 1;
  int arrivals_ = 0;
};

}  // namespace atelier::serving

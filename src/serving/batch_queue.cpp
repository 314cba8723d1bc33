#include "serving/batch_queue.h"

#include <algorithm>
#include <string>

namespace atelier::serving {
namespace {

constexpr int kArrivalsPerWindow = 32;

// Why a request must not be computed any more.
std::optional<Error> Reason(const BatchRequest& request, int64_t now_ns) {
  if (request.cancelled && request.cancelled->load(std::memory_order_relaxed)) {
    return MakeError(Code::kCancelled, "the request was cancelled", "cancelled");
  }
  if (now_ns >= request.deadline_ns) {
    return MakeError(Code::kDeadlineExceeded, "the request's time ran out in the worker's queue", "timeout");
  }
  return std::nullopt;
}

}  // namespace

Status BatchQueue::Add(BatchRequest& request, int64_t now_ns) {
  const size_t count = request.instances.size();
  if (queued_ > 0 && static_cast<size_t>(queued_) + count > static_cast<size_t>(options_.max_queue)) {
    Error error = MakeError(Code::kResourceExhausted,
                            "the model's queue is full (" + std::to_string(queued_) + " instances wait)", "queue_full");
    error.retry_after_s = 1;
    return error;
  }
  auto ticket = std::make_shared<Ticket>();
  ticket->request = std::move(request);
  ticket->arrived_ns = now_ns;
  ticket->answer.answers.reserve(count);
  waiting_.push_back(std::move(ticket));
  queued_ += static_cast<int>(count);
  NoteArrival();
  return {};
}

void BatchQueue::NoteArrival() {
  peak_ = std::max(peak_, waiting_.size() + running_requests_);
  if (++arrivals_ == kArrivalsPerWindow) {
    arrivals_ = 0;
    former_peak_ = std::exchange(peak_, 1);
  }
}

std::optional<int64_t> BatchQueue::StartsAtNs() const {
  if (waiting_.empty()) {
    return std::nullopt;
  }
  const int64_t arrived_ns = waiting_.front()->arrived_ns;
  const bool full = queued_ >= options_.max_batch;
  if (full || options_.max_delay_us == 0 || waiting_.size() >= Company()) {
    return arrived_ns;
  }
  return arrived_ns + int64_t{options_.max_delay_us} * 1000;
}

BatchQueue::Batch BatchQueue::Take(int64_t now_ns) {
  Batch batch;
  const size_t limit = static_cast<size_t>(options_.max_batch);
  size_t size = 0;
  running_requests_ = 0;
  while (!waiting_.empty() && size < limit) {
    TicketPtr ticket = waiting_.front();
    const size_t left = ticket->request.instances.size() - ticket->taken;
    auto reason = ticket->finished ? std::nullopt : Reason(ticket->request, now_ns);
    if (ticket->finished || reason) {
      queued_ -= static_cast<int>(left);
      waiting_.pop_front();
      if (reason) {
        batch.dropped.emplace_back(std::move(ticket), *std::move(reason));
      }
      continue;
    }
    const size_t count = std::min(left, limit - size);
    batch.slices.push_back({ticket, ticket->taken, count});
    ticket->taken += count;
    size += count;
    queued_ -= static_cast<int>(count);
    if (count == left) {
      waiting_.pop_front();
      ++running_requests_;
    }
  }
  running_ = static_cast<int>(size);
  return batch;
}

void BatchQueue::Finish() {
  running_ = 0;
  running_requests_ = 0;
}

}  // namespace atelier::serving

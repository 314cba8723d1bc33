#include "serving/batcher.h"

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace atelier::serving {
namespace {

void Finish(BatchQueue::Ticket& ticket, Result<BatchAnswer> answer) {
  if (!std::exchange(ticket.finished, true)) {
    ticket.request.done(std::move(answer));
  }
}

}  // namespace

Batcher::Batcher(Predictor& predictor, BatchOptions options, Clock& clock)
    : predictor_(predictor), clock_(clock), queue_(options), thread_([this] { Loop(); }) {}

Batcher::~Batcher() {
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Status Batcher::Submit(BatchRequest request) {
  {
    std::lock_guard lock(mutex_);
    if (draining_) {
      return Unavailable("the worker is ending", "draining");
    }
    ATELIER_TRY(queue_.Add(request, clock_.MonotonicNs()));
  }
  wake_.notify_one();
  return {};
}

Batcher::Stats Batcher::stats() const {
  std::lock_guard lock(mutex_);
  return {steps_, queue_.queued(), queue_.running(), draining_};
}

void Batcher::Drain(std::function<void()> drained) {
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
    drained_.push_back(std::move(drained));
  }
  wake_.notify_one();
}

bool Batcher::Next(BatchQueue::Batch& batch) {
  std::unique_lock lock(mutex_);
  queue_.Finish();
  while (true) {
    const auto starts_at_ns = queue_.StartsAtNs();
    if (!starts_at_ns) {
      auto drained = std::exchange(drained_, {});
      if (!drained.empty()) {
        lock.unlock();
        for (auto& notify : drained) {
          notify();
        }
        lock.lock();
        continue;
      }
      if (stopping_) {
        return false;
      }
      wake_.wait(lock);
      continue;
    }
    const int64_t now_ns = clock_.MonotonicNs();
    if (*starts_at_ns <= now_ns || draining_) {
      batch = queue_.Take(now_ns);
      return true;
    }
    wake_.wait_for(lock, std::chrono::nanoseconds(*starts_at_ns - now_ns));
  }
}

void Batcher::Loop() {
  BatchQueue::Batch batch;
  while (Next(batch)) {
    Compute(batch);
    batch = {};
  }
}

void Batcher::Compute(const BatchQueue::Batch& batch) {
  for (const auto& [ticket, error] : batch.dropped) {
    Finish(*ticket, error);
  }
  if (!batch.slices.empty()) {
    ComputeSlices(batch.slices);
  }
}

void Batcher::ComputeSlices(std::span<const BatchQueue::Slice> slices) {
  std::vector<const Prepared*> instances;
  for (const auto& slice : slices) {
    for (size_t i = 0; i < slice.count; ++i) {
      instances.push_back(slice.ticket->request.instances[slice.begin + i].get());
    }
  }
  const int64_t start_ns = clock_.MonotonicNs();
  auto answers = Forward(instances);
  const int64_t compute_ns = clock_.MonotonicNs() - start_ns;
  if (!answers.ok() && slices.size() > 1) {
    // One request's failure is not its neighbours': each gets a batch of its own.
    for (size_t i = 0; i < slices.size(); ++i) {
      ComputeSlices(slices.subspan(i, 1));
    }
    return;
  }
  size_t next = 0;
  for (const auto& slice : slices) {
    BatchQueue::Ticket& ticket = *slice.ticket;
    if (!answers.ok()) {
      Finish(ticket, answers.error());
      continue;
    }
    BatchAnswer& answer = ticket.answer;
    if (slice.begin == 0) {
      answer.queue_ns = start_ns - ticket.arrived_ns;
      answer.compute_ns = compute_ns;
      answer.batch_size = static_cast<int>(instances.size());
    }
    for (size_t i = 0; i < slice.count; ++i) {
      answer.answers.push_back(std::move((*answers)[next++]));
    }
    if (answer.answers.size() == ticket.request.instances.size()) {
      Finish(ticket, std::move(answer));
    }
  }
}

Result<std::vector<Answer>> Batcher::Forward(const std::vector<const Prepared*>& instances) {
  Result<std::vector<Answer>> answers = Internal("the model failed");
  try {
    answers = predictor_.Predict(instances);
  } catch (const std::exception& exception) {
    answers = Internal(std::string("the model failed: ") + exception.what());
  }
  {
    std::lock_guard lock(mutex_);
    ++steps_;
  }
  if (answers.ok() && answers->size() != instances.size()) {
    return Internal("the model answered " + std::to_string(answers->size()) + " of " +
                    std::to_string(instances.size()) + " instances");
  }
  return answers;
}

}  // namespace atelier::serving

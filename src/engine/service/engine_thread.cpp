#include "engine/service/engine_thread.h"

#include <utility>

namespace atelier::engine {
namespace {

constexpr int kRetryAfterSeconds = 1;

Error ShuttingDown() { return Unavailable("the model is being unloaded", "shutting_down"); }

}  // namespace

EngineThread::EngineThread(const SchedulerParts& parts, const Limits& limits)
    : parts_(parts),
      limits_(limits),
      scheduler_(parts, limits.schedule),
      pooling_(parts.model, limits.schedule.targets.step_tokens, [this] { return scheduler_.GivePages(); }),
      thread_([this] { Run(); }) {}

EngineThread::~EngineThread() {
  stop_ = true;
  bell_->Ring();
  thread_.join();
}

Status EngineThread::TakePlace() {
  return inbox_.With([this](Inbox& inbox) -> Status {
    if (inbox.draining) {
      return Unavailable("the model takes no new requests: it is being replaced", "draining");
    }
    if (inbox.waiting >= limits_.max_queue) {
      return Error{Code::kResourceExhausted,
                   "too many requests are waiting for this model (" + std::to_string(inbox.waiting) + ")", "queue_full",
                   "", kRetryAfterSeconds};
    }
    ++inbox.waiting;
    return {};
  });
}

void EngineThread::LeavePlaces(size_t places) {
  if (places > 0) {
    inbox_.With([&](Inbox& inbox) { inbox.waiting -= static_cast<int64_t>(places); });
  }
}

void EngineThread::Put(std::unique_ptr<Task> task) {
  inbox_.With([&](Inbox& inbox) { inbox.tasks.push_back(std::move(task)); });
  bell_->Ring();
}

void EngineThread::Put(std::unique_ptr<PoolingJob> job) {
  inbox_.With([&](Inbox& inbox) { inbox.jobs.push_back(std::move(job)); });
  bell_->Ring();
}

void EngineThread::Tell(std::function<void()> word) {
  inbox_.With([&](Inbox& inbox) { inbox.words.push_back(std::move(word)); });
  bell_->Ring();
}

void EngineThread::Drain(std::function<void()> drained) {
  inbox_.With([&](Inbox& inbox) {
    inbox.draining = true;
    inbox.drained.push_back(std::move(drained));
  });
  bell_->Ring();
}

Generator::Stats EngineThread::stats() const {
  return stats_.With([](const Generator::Stats& stats) { return stats; });
}

void EngineThread::Run() {
  while (!stop_) {
    const uint32_t heard = bell_->Heard();
    Receive();
    LeavePlaces(scheduler_.Sweep());
    pooling_.Step();
    LeavePlaces(scheduler_.Step());
    Note();
    CallDrained();
    if (idle() && !stop_) {
      bell_->Wait(heard);
    }
  }
  EndAll();
}

void EngineThread::Refuse(Task& task, Error error) {
  LeavePlaces(task.has_place ? 1 : 0);
  task.End(std::move(error), parts_.clock.MonotonicNs());
}

void EngineThread::Receive() {
  Inbox received;
  inbox_.With([&](Inbox& inbox) {
    received.tasks = std::exchange(inbox.tasks, {});
    received.jobs = std::exchange(inbox.jobs, {});
    received.words = std::exchange(inbox.words, {});
  });
  for (const auto& word : received.words) {
    word();
  }
  for (auto& task : received.tasks) {
    if (task->refused) {
      Refuse(*task, *task->refused);
    } else {
      scheduler_.Add(std::move(task));
    }
  }
  for (auto& job : received.jobs) {
    pooling_.Add(std::move(job));
  }
}

// Requests that were ended in the last step have gone by now, so that an empty engine is one whose inbox is empty, too.
void EngineThread::CallDrained() {
  if (!idle()) {
    return;
  }
  const auto drained = inbox_.With([](Inbox& inbox) {
    const bool empty = inbox.waiting == 0 && inbox.tasks.empty() && inbox.jobs.empty() && inbox.words.empty();
    return empty ? std::exchange(inbox.drained, {}) : std::vector<std::function<void()>>();
  });
  for (const auto& call : drained) {
    call();
  }
}

void EngineThread::Note() {
  Generator::Stats stats;
  stats.steps = scheduler_.steps() + pooling_.steps();
  stats.waiting = static_cast<int>(inbox_.With([](const Inbox& inbox) { return inbox.waiting; }));
  stats.running = static_cast<int>(scheduler_.running());
  const KvCache& cache = parts_.model.cache();
  const size_t pages = cache.geometry().pages;
  stats.kv_used = static_cast<double>(pages - cache.free_pages() - cache.reusable_pages()) / static_cast<double>(pages);
  stats.prompt_tokens = scheduler_.prompt_tokens();
  stats.generated_tokens = scheduler_.generated_tokens();
  stats.cached_tokens = scheduler_.cached_tokens();
  stats_.With([&](Generator::Stats& noted) { noted = stats; });
}

void EngineThread::EndAll() {
  inbox_.With([](Inbox& inbox) { inbox.draining = true; });
  Receive();
  scheduler_.EndAll(ShuttingDown());
  pooling_.EndAll(ShuttingDown());
  inbox_.With([](Inbox& inbox) { inbox.waiting = 0; });
  CallDrained();
}

}  // namespace atelier::engine

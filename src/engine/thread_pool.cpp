#include "engine/thread_pool.h"

#include <pthread.h>
#include <sched.h>

#include "base/processors.h"

namespace atelier::engine {
namespace {

constexpr int kSpins = 4000;  // some tens of microseconds

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // yield returns at once on most
#endif
}

// Waits until `value` is no longer `old`: spinning first.
void AwaitChange(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) {
      return;
    }
    Pause();
  }
  while (value.load(std::memory_order_acquire) == old) {
    value.wait(old, std::memory_order_acquire);
  }
}

// A thread that must not be moved still works.
void Pin(std::thread& thread, int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  static_cast<void>(pthread_setaffinity_np(thread.native_handle(), sizeof(set), &set));
}

}  // namespace

ThreadPool::ThreadPool(size_t threads) : parts_(threads) {
  const std::vector<int> processors = AllowedProcessors();
  const bool pins = processors.size() == threads && UsableProcessors() == threads;
  for (size_t thread = 1; thread < threads; ++thread) {
    workers_.emplace_back([this, thread] { Serve(thread); });
    if (pins) {
      Pin(workers_.back(), processors[thread]);
    }
  }
}

ThreadPool::~ThreadPool() {
  stopping_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) {
    worker.join();
  }
}

void ThreadPool::Run(const Loop& loop) {
  if (loop.count <= 1 || workers_.empty()) {
    for (size_t index = 0; index < loop.count; ++index) {
      loop.call(loop.context, index, 0);
    }
    return;
  }
  loop_ = loop;
  for (size_t thread = 0; thread < parts_.size(); ++thread) {
    parts_[thread].next.store(loop.count * thread / parts_.size(), std::memory_order_relaxed);
    parts_[thread].end = loop.count * (thread + 1) / parts_.size();
  }
  working_.store(static_cast<uint32_t>(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  Work(0);
  for (uint32_t left = working_.load(std::memory_order_acquire); left != 0;
       left = working_.load(std::memory_order_acquire)) {
    AwaitChange(working_, left);
  }
}

void ThreadPool::Work(size_t thread) {
  for (size_t other = 0; other < parts_.size(); ++other) {
    Part& part = parts_[(thread + other) % parts_.size()];
    for (size_t index = part.next.fetch_add(1, std::memory_order_relaxed); index < part.end;
         index = part.next.fetch_add(1, std::memory_order_relaxed)) {
      loop_.call(loop_.context, index, thread);
    }
  }
}

void ThreadPool::Serve(size_t thread) {
  // Not what round_ is when this thread gets going: the first loop may have begun by then.
  for (uint32_t seen = 0;; ++seen) {
    AwaitChange(round_, seen);
    if (stopping_.load(std::memory_order_relaxed)) {
      return;
    }
    Work(thread);
    if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      working_.notify_all();
    }
  }
}

}  // namespace atelier::engine

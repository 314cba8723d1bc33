// Threads that work through the same steps and wait for each other between them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace atelier::families::word_vectors {

// For `threads` threads: none goes on before all have arrived. They spin for some microseconds, then sleep.
class Gate {
 public:
  explicit Gate(size_t threads) : threads_(static_cast<uint32_t>(threads)) {}

  void Wait() {
    if (threads_ == 1) {
      return;
    }
    const uint32_t round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.store(round + 1, std::memory_order_release);
      round_.notify_all();
      return;
    }
    for (int spin = 0; spin < kSpins; ++spin) {
      if (round_.load(std::memory_order_acquire) != round) {
        return;
      }
      Pause();
    }
    while (round_.load(std::memory_order_acquire) == round) {
      round_.wait(round, std::memory_order_acquire);
    }
  }

 private:
  static constexpr int kSpins = 1000;
  static void Pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  uint32_t threads_;
  std::atomic<uint32_t> arrived_{0};
  std::atomic<uint32_t> round_{0};
};

// body(thread, gate) on `threads` threads at once, the caller's being number 0; returns when all are done. The body
// must not throw.
template <class Body>
void RunTeam(size_t threads, const Body& body) {
  Gate gate(threads);
  std::vector<std::jthread> others;
  for (size_t thread = 1; thread < threads; ++thread) {
    others.emplace_back([&body, &gate, thread] { body(thread, gate); });
  }
  body(0, gate);
}

}  // namespace atelier::families::word_vectors

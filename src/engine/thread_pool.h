// A few threads that share loops: they spin for a moment between loops, then sleep.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace atelier::engine {

// Owns `threads - 1` threads; the caller of ForEach is the last one. For one calling thread at a time. Where there are
// as many threads as the maker may use processors, each owned one stays on its own: they would only get in each other's
// way, and the caller, which the system moves, finds the one that is left.
class ThreadPool {
 public:
  explicit ThreadPool(size_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  size_t threads() const { return workers_.size() + 1; }

  // body(index, thread) for every index below `count`, each once (thread < threads()); returns when all are done. Each
  // thread goes through a part of its own, in order, so that what lies side by side in memory is read by one of them,
  // and then takes what is left of the others' parts. What a body computes must depend on its index alone. The body
  // must not throw.
  template <class Body>
  void ForEach(size_t count, const Body& body) {
    Run({count, &body, [](const void* context, size_t index, size_t thread) {
           (*static_cast<const Body*>(context))(index, thread);
         }});
  }

 private:
  struct Loop {
    size_t count = 0;
    const void* context = nullptr;
    void (*call)(const void* context, size_t index, size_t thread) = nullptr;
  };

  // What is left of a thread's part.
  struct alignas(64) Part {
    std::atomic<size_t> next{0};
    size_t end = 0;
  };

  void Run(const Loop& loop);
  void Work(size_t thread);
  void Serve(size_t thread);

  Loop loop_;
  std::vector<Part> parts_;           // of each thread
  std::atomic<uint32_t> round_{0};    // counts loops; workers wait for it to change
  std::atomic<uint32_t> working_{0};  // workers that have not finished this round
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> workers_;
};

}  // namespace atelier::engine

// Threads that do what does not need the engine thread, in order of arrival.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/guarded.h"

namespace atelier::engine {

// Wakes threads. Thread-safe. A thread looks what there is to do between Heard and Wait, so no ring is missed.
class Doorbell {
 public:
  void Ring() {
    rings_.fetch_add(1);
    rings_.notify_all();
  }
  uint32_t Heard() const { return rings_.load(); }
  // Returns when the bell was rung after `heard`.
  void Wait(uint32_t heard) const { rings_.wait(heard); }

 private:
  std::atomic<uint32_t> rings_{0};
};

// Thread-safe. The work must not throw. All of it is done before the destructor returns; whoever adds work bounds how
// much there is.
class Helpers {
 public:
  explicit Helpers(size_t threads);
  ~Helpers();
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;

  void Add(std::function<void()> work);

 private:
  void Run();

  Guarded<std::deque<std::function<void()>>> work_;
  Doorbell bell_;
  std::atomic<bool> stop_{false};
  std::vector<std::jthread> threads_;
};

}  // namespace atelier::engine

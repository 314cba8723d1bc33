// Threads for what blocks (catalogue, blobs), behind a bounded queue.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace atelier::api::http {

// Thread-safe.
class Pool {
 public:
  Pool(int threads, size_t max_waiting);
  ~Pool();  // finishes what was accepted
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // False when too many wait: `work` will not run. With `must` the queue's bound does not apply: for the rest of work
  // that was accepted already.
  bool Run(std::function<void()> work, bool must);

 private:
  void Loop();

  const size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace atelier::api::http

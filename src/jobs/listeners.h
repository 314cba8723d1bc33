// Who wants to know that a job has news.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace atelier::jobs {

using Listener = std::function<void(const std::string& job_id)>;

// Thread-safe. A listener is never called again once Remove has returned; so it must not call Add or Remove itself.
class Listeners {
 public:
  uint64_t Add(Listener listener) {
    const std::lock_guard lock(mutex_);
    listeners_.emplace(++last_, std::move(listener));
    return last_;
  }
  void Remove(uint64_t token) {
    const std::lock_guard lock(mutex_);
    listeners_.erase(token);
  }
  void Tell(const std::string& job_id) {
    const std::lock_guard lock(mutex_);
    for (const auto& [token, listener] : listeners_) {
      listener(job_id);
    }
  }

 private:
  std::mutex mutex_;
  std::map<uint64_t, Listener> listeners_;
  uint64_t last_ = 0;
};

}  // namespace atelier::jobs

// Shared data that can only be reached while its lock is held.
#pragma once

#include <mutex>
#include <utility>

namespace atelier {

// Owns a T and its mutex. Thread-safe. `With` runs `function(T&)` under the lock and returns what it returns;
// keep such functions short, and never let a reference to the T escape.
template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  template <class Function>
  decltype(auto) With(Function&& function) {
    std::lock_guard lock(mutex_);
    return std::forward<Function>(function)(value_);
  }
  template <class Function>
  decltype(auto) With(Function&& function) const {
    std::lock_guard lock(mutex_);
    return std::forward<Function>(function)(value_);
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace atelier

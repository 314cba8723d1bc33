#include "api/http/pool.h"

#include <algorithm>
#include <utility>

namespace atelier::api::http {

Pool::Pool(int threads, size_t max_waiting) : max_waiting_(max_waiting) {
  for (int i = 0; i < std::max(threads, 1); ++i) {
    threads_.emplace_back([this] { Loop(); });
  }
}

Pool::~Pool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
}

bool Pool::Run(std::function<void()> work, bool must) {
  {
    std::lock_guard lock(mutex_);
    if (!must && waiting_.size() >= max_waiting_) {
      return false;
    }
    waiting_.push_back(std::move(work));
  }
  ready_.notify_one();
  return true;
}

void Pool::Loop() {
  while (true) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) {
        return;
      }
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }
}

}  // namespace atelier::api::http

#include "engine/service/helpers.h"

#include <utility>

namespace atelier::engine {

Helpers::Helpers(size_t threads) {
  for (size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

Helpers::~Helpers() {
  stop_ = true;
  bell_.Ring();
  threads_.clear();
}

void Helpers::Add(std::function<void()> work) {
  work_.With([&](auto& queue) { queue.push_back(std::move(work)); });
  bell_.Ring();
}

void Helpers::Run() {
  while (true) {
    const uint32_t heard = bell_.Heard();
    const bool last = stop_;  // before looking: what was added before is seen
    std::function<void()> work;
    work_.With([&](auto& queue) {
      if (!queue.empty()) {
        work = std::move(queue.front());
        queue.pop_front();
      }
    });
    if (work) {
      work();
    } else if (last) {
      return;
    } else {
      bell_.Wait(heard);
    }
  }
}

}  // namespace atelier::engine

// Trying again what may work the next time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>

#include "base/result.h"

namespace atelier::hub {

inline bool IsTransient(const Error& error) {
  return error.reason == "connection_failed" || error.reason == "hub_unavailable" || error.reason == "rate_limited";
}

// When to try again, and when to give up. Not thread-safe.
class Backoff {
 public:
  // Milliseconds to wait after `error`; nothing: it is final. `progress`: something was got since the last failure.
  std::optional<int64_t> After(const Error& error, bool progress) {
    constexpr int kTries = 6;
    constexpr int64_t kFirstMs = 500;
    constexpr int64_t kLongestMs = 30'000;
    constexpr int64_t kMostPatienceMs = 600'000;  // with a hub that says how long
    failures_ = progress ? 1 : failures_ + 1;
    const int64_t asked_ms = int64_t{error.reason == "connection_failed" ? 0 : error.retry_after_s.value_or(0)} * 1000;
    if (!IsTransient(error) || failures_ >= kTries || asked_ms > kMostPatienceMs) {
      return std::nullopt;
    }
    return std::max(asked_ms, std::min(kLongestMs, kFirstMs << (failures_ - 1)));
  }

 private:
  int failures_ = 0;
};

// False when `stop` said so before the time was over.
inline bool Sleep(int64_t time_ms, const std::function<bool()>& stop) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(time_ms);
  while (std::chrono::steady_clock::now() < end) {
    if (stop && stop()) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min<int64_t>(time_ms, 50)));
  }
  return true;
}

}  // namespace atelier::hub

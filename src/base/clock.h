// Time behind an interface, so that tests control it.
#pragma once

#include <atomic>
#include <cstdint>

namespace atelier {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t UnixMs() const = 0;       // wall time, milliseconds since 1970; may jump
  virtual int64_t MonotonicNs() const = 0;  // never goes back; only differences mean anything
};

// The machine's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  int64_t UnixMs() const override;
  int64_t MonotonicNs() const override;
};

// A clock that a test moves by hand. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t unix_ms = 1'700'000'000'000) : unix_ms_(unix_ms) {}
  int64_t UnixMs() const override { return unix_ms_.load(); }
  int64_t MonotonicNs() const override { return monotonic_ns_.load(); }
  void AdvanceMs(int64_t ms) {
    unix_ms_ += ms;
    monotonic_ns_ += ms * 1'000'000;
  }

 private:
  std::atomic<int64_t> unix_ms_;
  std::atomic<int64_t> monotonic_ns_{0};
};

}  // namespace atelier

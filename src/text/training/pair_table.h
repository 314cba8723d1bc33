// Numbers for pairs of symbols.
#pragma once

#include <cstdint>
#include <vector>

namespace atelier::text {

// Open addressing; not thread-safe.
class PairTable {
 public:
  // The number of the pair; a new pair gets `next`. Symbols must not be negative.
  uint32_t FindOrAdd(int32_t left, int32_t right, uint32_t next) {
    if (2 * size_ >= slots_.size()) {
      Grow();
    }
    const uint64_t key = (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32U) | static_cast<uint32_t>(right);
    Slot& slot = slots_[Find(key)];
    if (slot.number == kFree) {
      slot = {key, next};
      ++size_;
    }
    return slot.number;
  }

 private:
  static constexpr uint32_t kFree = UINT32_MAX;
  struct Slot {
    uint64_t key = 0;
    uint32_t number = kFree;
  };

  size_t Find(uint64_t key) const {
    size_t at = (key * 0x9E3779B97F4A7C15ULL) >> 20U & (slots_.size() - 1);
    while (slots_[at].number != kFree && slots_[at].key != key) {
      at = (at + 1) & (slots_.size() - 1);
    }
    return at;
  }

  void Grow() {
    std::vector<Slot> old(slots_.empty() ? 1024 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number != kFree) {
        slots_[Find(slot.key)] = slot;
      }
    }
  }

  std::vector<Slot> slots_;
  size_t size_ = 0;
};

}  // namespace atelier::text

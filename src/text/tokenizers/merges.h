// Byte-pair merges: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword Units".
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace atelier::text {

// Which pairs of tokens merge, in which order, into what. Immutable once filled, thread-safe.
class Merges {
 public:
  struct Rule {
    uint32_t rank = 0;
    int32_t result = -1;
  };

  explicit Merges(size_t expected);

  // The first rule of a pair stays. `left` and `right` must not be negative.
  void Add(int32_t left, int32_t right, Rule rule);

  // Merges neighbours in `symbols` until no rule applies: always the pair of the lowest rank, of several the leftmost.
  // Negative symbols never merge. O(n log n).
  void Apply(std::vector<int32_t>& symbols) const;

 private:
  struct Slot {
    uint64_t pair = 0;
    Rule rule;  // result -1: the slot is free
  };
  const Rule* Find(int32_t left, int32_t right) const;
  size_t SlotOf(uint64_t pair) const;

  std::vector<Slot> slots_;  // open addressing; a power of two, at most half full
};

}  // namespace atelier::text

#include "text/tokenizers/merges.h"

#include <bit>
#include <queue>

namespace atelier::text {
namespace {

constexpr int32_t kDead = -2;  // a symbol that went into its left neighbour

struct Candidate {
  uint64_t key;  // rank, then place: the smallest goes first
  int32_t left, right, result;
  bool operator>(const Candidate& other) const { return key > other.key; }
};

using Queue = std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>>;

uint64_t PairOf(int32_t left, int32_t right) {
  return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32U) | static_cast<uint32_t>(right);
}

}  // namespace

Merges::Merges(size_t expected) : slots_(std::bit_ceil(expected * 2 + 2)) {}

size_t Merges::SlotOf(uint64_t pair) const {
  const size_t mask = slots_.size() - 1;
  uint64_t hash = pair * 0x9E3779B97F4A7C15U;
  hash ^= hash >> 29U;
  size_t slot = hash & mask;
  while (slots_[slot].rule.result >= 0 && slots_[slot].pair != pair) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

void Merges::Add(int32_t left, int32_t right, Rule rule) {
  const uint64_t pair = PairOf(left, right);
  Slot& slot = slots_[SlotOf(pair)];
  if (slot.rule.result < 0) {
    slot = {pair, rule};
  }
}

const Merges::Rule* Merges::Find(int32_t left, int32_t right) const {
  if (left < 0 || right < 0) {
    return nullptr;
  }
  const Rule& rule = slots_[SlotOf(PairOf(left, right))].rule;
  return rule.result < 0 ? nullptr : &rule;
}

void Merges::Apply(std::vector<int32_t>& symbols) const {
  const size_t count = symbols.size();
  if (count < 2) {
    return;
  }
  std::vector<uint32_t> next(count);
  std::vector<uint32_t> previous(count);
  std::vector<Candidate> first;
  const auto candidate = [&](size_t left, size_t right, auto&& sink) {
    if (const Rule* rule = Find(symbols[left], symbols[right])) {
      sink({(static_cast<uint64_t>(rule->rank) << 32U) | left, symbols[left], symbols[right], rule->result});
    }
  };
  for (size_t i = 0; i < count; ++i) {
    next[i] = static_cast<uint32_t>(i + 1);
    previous[i] = static_cast<uint32_t>(i) - 1;
    if (i + 1 < count) {
      candidate(i, i + 1, [&](Candidate item) { first.push_back(item); });
    }
  }
  Queue queue(std::greater<>(), std::move(first));
  const auto push = [&](Candidate item) { queue.push(item); };
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    const auto left = static_cast<uint32_t>(best.key);
    const uint32_t right = next[left];
    if (symbols[left] != best.left || right >= count || symbols[right] != best.right) {
      continue;  // one of them merged with another
    }
    symbols[left] = best.result;
    symbols[right] = kDead;
    next[left] = next[right];
    if (next[left] < count) {
      previous[next[left]] = left;
      candidate(left, next[left], push);
    }
    if (left > 0) {
      candidate(previous[left], left, push);
    }
  }
  std::erase(symbols, kDead);
}

}  // namespace atelier::text

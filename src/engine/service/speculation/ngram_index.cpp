#include "engine/service/speculation/ngram_index.h"

#include <algorithm>
#include <bit>

namespace atelier::engine {
namespace {

constexpr size_t kMostPlaces = 48;
constexpr size_t kFirstSlots = 256;

// `slots` is a power of two.
size_t SlotOf(uint64_t key, size_t slots) {
  return static_cast<size_t>((key * 0x9E3779B97F4A7C15ULL) >> 32U) & (slots - 1);
}

size_t SlotOf(int32_t first, int32_t second, size_t slots) {
  return SlotOf((uint64_t{static_cast<uint32_t>(first)} << 32U) ^ (static_cast<uint32_t>(second) + 1ULL), slots);
}

// How many of the last tokens are the same.
size_t Agreement(std::span<const int32_t> a, std::span<const int32_t> b) {
  const size_t most = std::min({a.size(), b.size(), NgramIndex::kLongest});
  size_t count = 0;
  while (count < most && a[a.size() - 1 - count] == b[b.size() - 1 - count]) {
    ++count;
  }
  return count;
}

}  // namespace

void NgramIndex::Register(size_t next) {
  const auto place = static_cast<uint32_t>(next);
  singles_[SlotOf(static_cast<uint32_t>(tokens_[next - 1]), singles_.size())] = place;
  if (next >= 2) {
    uint32_t& newest = pairs_[SlotOf(tokens_[next - 2], tokens_[next - 1], pairs_.size())];
    previous_[next] = newest;
    newest = place;
  }
}

void NgramIndex::Grow() {
  const size_t slots = std::max(kFirstSlots, std::bit_ceil(2 * tokens_.size()));
  pairs_.assign(slots, 0);
  singles_.assign(slots, 0);
  for (size_t next = 1; next < previous_.size(); ++next) {
    Register(next);
  }
}

void NgramIndex::Append(std::span<const int32_t> tokens) {
  if (tokens.empty()) {
    return;
  }
  const size_t before = previous_.size();
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  previous_.resize(tokens_.size(), 0);
  if (tokens_.size() > pairs_.size()) {
    Grow();
    return;
  }
  for (size_t next = std::max<size_t>(before, 1); next < tokens_.size(); ++next) {
    Register(next);
  }
}

NgramIndex::Match NgramIndex::Find(std::span<const int32_t> context) const {
  Match best;
  if (context.empty() || tokens_.empty()) {
    return best;
  }
  const std::span<const int32_t> text = tokens_;
  if (context.size() >= 2) {
    size_t next = pairs_[SlotOf(context[context.size() - 2], context.back(), pairs_.size())];
    for (size_t i = 0; next != 0 && i < kMostPlaces && best.length < kLongest; ++i, next = previous_[next]) {
      if (const size_t length = Agreement(context, text.first(next)); length >= 2 && length > best.length) {
        best = {length, next};
      }
    }
  }
  if (best.length == 0) {
    const size_t next = singles_[SlotOf(static_cast<uint32_t>(context.back()), singles_.size())];
    if (next != 0 && text[next - 1] == context.back()) {
      best = {1, next};
    }
  }
  return best;
}

void NgramIndex::Copy(size_t next, size_t count, std::vector<int32_t>& out) const {
  const size_t begin = out.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t from = next + i;
    out.push_back(from < tokens_.size() ? tokens_[from] : out[begin + (from - tokens_.size())]);
  }
}

}  // namespace atelier::engine

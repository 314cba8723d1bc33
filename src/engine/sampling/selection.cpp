#include "engine/sampling/selection.h"

#include <algorithm>
#include <limits>

namespace atelier::engine {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr size_t kSmallestBuffer = 512;

struct Entry {
  float value;
  int32_t index;
};

bool Before(const Entry& a, const Entry& b) { return a.value != b.value ? a.value > b.value : a.index < b.index; }

// Keeps the k first in order; returns the value that later entries must exceed. (An equal one comes later by index.)
float Thin(std::vector<Entry>& entries, size_t k) {
  const auto last = entries.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(entries.begin(), last, entries.end(), Before);
  entries.resize(k);
  return entries[k - 1].value;
}

}  // namespace

bool AnyAbove(std::span<const float> block, float threshold) {
  if (block.size() < kComparedAtOnce) {
    return true;  // the rest of the values, looked at one by one
  }
  int any = 0;
  for (size_t i = 0; i < kComparedAtOnce; ++i) {  // a fixed length: vector instructions
    any |= static_cast<int>(block[i] > threshold);
  }
  return any != 0;
}

std::vector<int32_t> LargestIndexes(std::span<const float> values, size_t k) {
  k = std::min(k, values.size());
  if (k == 0) {
    return {};
  }
  const size_t capacity = std::max(2 * k, kSmallestBuffer);
  std::vector<Entry> entries;
  entries.reserve(std::min(capacity + kComparedAtOnce, values.size()));
  float threshold = kNever;
  for (size_t start = 0; start < values.size(); start += kComparedAtOnce) {
    const auto block = values.subspan(start, std::min(kComparedAtOnce, values.size() - start));
    if (!AnyAbove(block, threshold)) {
      continue;
    }
    for (size_t i = 0; i < block.size(); ++i) {
      if (block[i] > threshold) {
        entries.push_back({block[i], static_cast<int32_t>(start + i)});
      }
    }
    if (entries.size() >= capacity) {
      threshold = Thin(entries, k);
    }
  }
  if (entries.size() > k) {
    Thin(entries, k);
  }
  std::sort(entries.begin(), entries.end(), Before);
  std::vector<int32_t> indexes;
  indexes.reserve(entries.size());
  for (const Entry& entry : entries) {
    indexes.push_back(entry.index);
  }
  return indexes;
}

int32_t LargestIndex(std::span<const float> values) {
  float largest = kNever;
  int32_t index = -1;
  for (size_t start = 0; start < values.size(); start += kComparedAtOnce) {
    const auto block = values.subspan(start, std::min(kComparedAtOnce, values.size() - start));
    if (!AnyAbove(block, largest)) {
      continue;
    }
    for (size_t i = 0; i < block.size(); ++i) {
      if (block[i] > largest) {
        largest = block[i];
        index = static_cast<int32_t>(start + i);
      }
    }
  }
  return index;
}

}  // namespace atelier::engine

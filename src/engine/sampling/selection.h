// Which values are the largest, without sorting the rest.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace atelier::engine {

// The indexes of the `k` largest of `values`, largest first, equal ones by index. -infinity is left out, so there may
// be fewer. No value may be NaN. Expected time O(n + k log k): values are compared with the k-th largest so far, and
// the few that pass are gathered and thinned out when they are many.
std::vector<int32_t> LargestIndexes(std::span<const float> values, size_t k);

// The index of the largest value, the first of equal ones; -1 when all are -infinity or there are none.
int32_t LargestIndex(std::span<const float> values);

inline constexpr size_t kComparedAtOnce = 32;
// Whether one of so many values is above `threshold`; of fewer, maybe.
bool AnyAbove(std::span<const float> block, float threshold);

// visit(index) for every value above `threshold`, in order. Quick where such are few: the others are compared in
// blocks.
template <class Visit>
void VisitAbove(std::span<const float> values, float threshold, const Visit& visit) {
  for (size_t start = 0; start < values.size(); start += kComparedAtOnce) {
    const auto block = values.subspan(start, std::min(kComparedAtOnce, values.size() - start));
    if (AnyAbove(block, threshold)) {
      for (size_t i = 0; i < block.size(); ++i) {
        if (block[i] > threshold) {
          visit(start + i);
        }
      }
    }
  }
}

}  // namespace atelier::engine

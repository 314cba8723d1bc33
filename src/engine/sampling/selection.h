// Which values are the largest, without sorting the rest.
#pragma once

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

}  // namespace atelier::engine

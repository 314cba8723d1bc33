// Activations as the integer kernels take them: rounded to bytes, 32 at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/packed/packed_format.h"

namespace atelier::tensor {

// Of the columns of one cell: activation i is scale * level[i], the largest of them having the level 127 or -127. NaN
// or infinity in an activation gives the scale NaN. A cache line.
struct alignas(64) ActivationBlock {
  int8_t level[kCellColumns];
  float scale;
  // Of all levels, of the first and of the second half.
  int32_t level_sums[3];
  float sums[3];  // scale times level_sums
};

}  // namespace atelier::tensor

// Activations as the integer kernels take them: rounded to bytes, 32 at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/packed/packed_format.h"

namespace atelier::tensor {

// Of the columns of one cell: activation i is scale * level[i], the largest of them having the level 127 or -127. NaN
// or infinity in an activation gives the scale NaN.
struct alignas(16) ActivationBlock {
  float scale;
  float sum;           // scale times the sum of all levels
  float half_sums[2];  // the same of each half
  int8_t level[kCellColumns];
};

}  // namespace atelier::tensor

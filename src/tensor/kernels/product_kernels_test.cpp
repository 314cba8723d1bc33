// Products of small matrices, on every instruction set.
#include "tensor/kernels/product_kernels.h"

#include <gtest/gtest.h>

#include <vector>

#include "tensor/testing/noise.h"

namespace atelier::tensor {
namespace {

using testing::Noise;

struct Sizes {
  size_t rows, columns, depth;
};

// Left as it is and transposed, into an output that is wider than it need be.
void ExpectProduct(const ProductKernels& kernels, const Sizes& sizes, bool transposed, bool add) {
  const auto [rows, columns, depth] = sizes;
  const auto left = Noise(rows * depth, 1);
  const auto right = Noise(depth * (columns + 3), 2);
  const size_t stride = columns + 5;
  std::vector<float> outputs(rows * stride, 7);
  kernels.product({.left = left.data(),
                   .left_row = transposed ? 1 : depth,
                   .left_step = transposed ? rows : 1,
                   .right = right.data(),
                   .right_stride = columns + 3,
                   .outputs = outputs.data(),
                   .output_stride = stride,
                   .rows = rows,
                   .columns = columns,
                   .depth = depth,
                   .add = add});
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < stride; ++j) {
      double expected = add || j >= columns ? 7 : 0;
      for (size_t k = 0; k < depth && j < columns; ++k) {
        expected +=
            static_cast<double>(transposed ? left[k * rows + i] : left[i * depth + k]) * right[k * (columns + 3) + j];
      }
      ASSERT_NEAR(outputs[i * stride + j], expected, 2e-4)
          << kernels.name << ' ' << rows << 'x' << columns << 'x' << depth << " at " << i << ", " << j;
    }
  }
}

TEST(Product, AgreesWithDoubles) {
  for (const ProductKernels& kernels : UsableProductKernels()) {
    for (const Sizes& sizes : {Sizes{1, 1, 1}, Sizes{2, 8, 3}, Sizes{6, 16, 40}, Sizes{7, 33, 5}, Sizes{13, 31, 64},
                               Sizes{48, 128, 32}, Sizes{3, 5, 0}, Sizes{9, 50, 17}}) {
      for (const bool transposed : {false, true}) {
        for (const bool add : {false, true}) {
          ExpectProduct(kernels, sizes, transposed, add);
        }
      }
    }
  }
}

}  // namespace
}  // namespace atelier::tensor

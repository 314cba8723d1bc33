// Products of small matrices that lie in the cache, on a vector type V. Included by one source per
// instruction set.
#pragma once

#include <cstddef>

#include "tensor/kernels/lanes_on.h"
#include "tensor/kernels/product_kernels.h"

namespace atelier::tensor {

template <class V>
struct ProductOn {
  // R rows of N vectors of columns: all sums in registers, each added up in the order of the terms.
  template <size_t R, size_t N, class Part>
  static void Tile(const ProductBlock& block, size_t row, size_t column, const Part& part) {
    const float* left = block.left + row * block.left_row;
    const float* right = block.right + column;
    float* outputs = block.outputs + row * block.output_stride + column;
    V sums[R][N];
    for (size_t r = 0; r < R; ++r) {
      for (size_t n = 0; n < N; ++n) {
        sums[r][n] = block.add ? part.Load(outputs + r * block.output_stride + n * V::kLanes) : V::Zero();
      }
    }
    for (size_t k = 0; k < block.depth; ++k) {
      V y[N];
      for (size_t n = 0; n < N; ++n) {
        y[n] = part.Load(right + k * block.right_stride + n * V::kLanes);
      }
      for (size_t r = 0; r < R; ++r) {
        const V x = V::Broadcast(left[r * block.left_row + k * block.left_step]);
        for (size_t n = 0; n < N; ++n) {
          sums[r][n] = V::MulAdd(x, y[n], sums[r][n]);
        }
      }
    }
    for (size_t r = 0; r < R; ++r) {
      for (size_t n = 0; n < N; ++n) {
        part.Store(sums[r][n], outputs + r * block.output_stride + n * V::kLanes);
      }
    }
  }

  template <size_t N, class Part>
  static void Rows(const ProductBlock& block, size_t column, const Part& part) {
    size_t row = 0;
    for (; row + 6 <= block.rows; row += 6) {
      Tile<6, N>(block, row, column, part);
    }
    for (; row + 2 <= block.rows; row += 2) {
      Tile<2, N>(block, row, column, part);
    }
    if (row < block.rows) {
      Tile<1, N>(block, row, column, part);
    }
  }

  static void Product(const ProductBlock& block) {
    size_t column = 0;
    for (; column + 2 * V::kLanes <= block.columns; column += 2 * V::kLanes) {
      Rows<2>(block, column, WholeVector<V>{});
    }
    for (; column + V::kLanes <= block.columns; column += V::kLanes) {
      Rows<1>(block, column, WholeVector<V>{});
    }
    if (column < block.columns) {
      Rows<1>(block, column, PartVector<V>{block.columns - column});
    }
  }
};

}  // namespace atelier::tensor

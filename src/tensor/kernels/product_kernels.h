// Products of small matrices that lie in the cache, of training: one source on a vector type, compiled per instruction
// set, chosen when the program starts.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace atelier::tensor {

// outputs[i][j] = sum over k of left(i, k) * right[k][j], added to what is there if `add`; left(i, k) is
// left[i * left_row + k * left_step]. Strides are in numbers.
struct ProductBlock {
  const float* left = nullptr;
  size_t left_row = 0;
  size_t left_step = 1;
  const float* right = nullptr;  // [depth, columns]
  size_t right_stride = 0;
  float* outputs = nullptr;  // [rows, columns]
  size_t output_stride = 0;
  size_t rows = 0;
  size_t columns = 0;
  size_t depth = 0;
  bool add = false;
};

// Thread-safe, without state. The terms of an output are added in their order.
struct ProductKernels {
  std::string_view name;
  void (*product)(const ProductBlock& block);
};

// All that this machine can run, the fastest last; the first is the scalar reference.
std::span<const ProductKernels> UsableProductKernels();
inline const ProductKernels& BestProductKernels() { return UsableProductKernels().back(); }

}  // namespace atelier::tensor

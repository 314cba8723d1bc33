// The float kernels on a vector type V (VecScalar, VecAvx2, ...). Included by one source per instruction set, which
// is compiled with that set's flags: so nothing here may be shared with other sources, and V names the instantiation.
#pragma once

#include <cstddef>

#include "tensor/halves/half_panels_on.h"
#include "tensor/kernels/attention_on.h"
#include "tensor/kernels/exponentials_on.h"
#include "tensor/kernels/float_kernels.h"
#include "tensor/kernels/logits_on.h"
#include "tensor/kernels/rows_on.h"

namespace atelier::tensor {

template <class V>
struct FloatKernelsOn {
  // R weight rows against C inputs: R * C sums in registers, each added up lane by lane from the first column on.
  template <size_t R, size_t C>
  static void Tile(const MatrixBlock& block, size_t row, size_t input) {
    const float* weights = block.weights + row * block.weight_stride;
    const float* inputs = block.inputs + input * block.input_stride;
    V sums[R][C];
    for (size_t r = 0; r < R; ++r) {
      for (size_t c = 0; c < C; ++c) {
        sums[r][c] = V::Zero();
      }
    }
    size_t k = 0;
    for (; k + V::kLanes <= block.width; k += V::kLanes) {
      V x[C];
      for (size_t c = 0; c < C; ++c) {
        x[c] = V::Load(inputs + c * block.input_stride + k);
      }
      for (size_t r = 0; r < R; ++r) {
        const V w = V::Load(weights + r * block.weight_stride + k);
        for (size_t c = 0; c < C; ++c) {
          sums[r][c] = V::MulAdd(w, x[c], sums[r][c]);
        }
      }
    }
    if (k < block.width) {
      for (size_t r = 0; r < R; ++r) {
        const V w = V::LoadPart(weights + r * block.weight_stride + k, block.width - k);
        for (size_t c = 0; c < C; ++c) {
          sums[r][c] = V::MulAdd(w, V::LoadPart(inputs + c * block.input_stride + k, block.width - k), sums[r][c]);
        }
      }
    }
    for (size_t r = 0; r < R; ++r) {
      for (size_t c = 0; c < C; ++c) {
        block.outputs[(input + c) * block.output_stride + row + r] = sums[r][c].Sum();
      }
    }
  }

  // All rows against C inputs, R rows at a time.
  template <size_t R, size_t C>
  static void Rows(const MatrixBlock& block, size_t input) {
    size_t row = 0;
    for (; row + R <= block.rows; row += R) {
      Tile<R, C>(block, row, input);
    }
    for (; row < block.rows; ++row) {
      Tile<1, C>(block, row, input);
    }
  }

  static void Multiply(const MatrixBlock& block) {
    size_t input = 0;
    for (; input + 3 <= block.count; input += 3) {
      Rows<4, 3>(block, input);
    }
    if (block.count - input == 2) {
      Rows<4, 2>(block, input);
    } else if (block.count - input == 1) {
      Rows<8, 1>(block, input);
    }
  }

  static constexpr FloatKernels Table(std::string_view name) {
    return {.name = name,
            .multiply = &Multiply,
            .half_panel_rows = HalfProductOn<V, StoredHalf>::kPanelRows,
            .multiply_half = &HalfProductOn<V, StoredHalf>::Multiply,
            .multiply_bfloat16 = &HalfProductOn<V, StoredBfloat16>::Multiply,
            .attention = {AttentionOn<V, KvFormat::kF32>::Kernels(), AttentionOn<V, KvFormat::kF16>::Kernels(),
                          AttentionOn<V, KvFormat::kBF16>::Kernels(), AttentionOn<V, KvFormat::kQ8_0>::Kernels()},
            .soften = &ExponentialsOn<V>::Soften,
            .silu = &ExponentialsOn<V>::Silu,
            .gelu = &ExponentialsOn<V>::Gelu,
            .relu = &ExponentialsOn<V>::Relu,
            .soft_cap = &ExponentialsOn<V>::SoftCap,
            .mix = &RowsOn<V>::Mix,
            .normalise = &RowsOn<V>::Normalise,
            .turn = &RowsOn<V>::TurnHeads,
            .exponentials = &LogitsOn<V>::Exponentials};
  }
};

}  // namespace atelier::tensor

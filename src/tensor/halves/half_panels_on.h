// Products of panels of 16-bit weights on a vector type V. Included like float_kernels_on.h.
#pragma once

#include <cstddef>

#include "tensor/halves/half_panels.h"
#include "tensor/quants/half.h"

namespace atelier::tensor {

// W: StoredHalf or StoredBfloat16.
template <class V, class W>
struct HalfProductOn {
  static constexpr size_t kPanelRows = 2 * V::kLanes;
  static constexpr size_t kInputs = 6;  // with one panel; their sums fill the registers

  // P panels against C inputs.
  template <size_t P, size_t C>
  static void Panels(const HalfBlock& block, size_t row, size_t input) {
    const size_t panel = kPanelRows * block.columns;
    const auto* weights = reinterpret_cast<const W*>(block.panels) + row / kPanelRows * panel;
    const float* inputs = block.inputs + input * block.input_stride;
    V sums[P][2][C];
    for (size_t c = 0; c < C; ++c) {
      for (size_t p = 0; p < P; ++p) {
        sums[p][0][c] = V::Zero();
        sums[p][1][c] = V::Zero();
      }
    }
    for (size_t k = 0; k < block.columns; ++k, weights += kPanelRows) {
      V weight[P][2];
      for (size_t p = 0; p < P; ++p) {
        V::LoadPair(weights + p * panel, weight[p][0], weight[p][1]);
        V::Prefetch(weights + p * panel + kPrefetch);
      }
      for (size_t c = 0; c < C; ++c) {
        const V x = V::Broadcast(inputs[c * block.input_stride + k]);
        for (size_t p = 0; p < P; ++p) {
          sums[p][0][c] = V::MulAdd(weight[p][0], x, sums[p][0][c]);
          sums[p][1][c] = V::MulAdd(weight[p][1], x, sums[p][1][c]);
        }
      }
    }
    for (size_t c = 0; c < C; ++c) {
      for (size_t half = 0; half < 2 * P; ++half) {
        Put(block, row + half * V::kLanes, input + c, sums[half / 2][half % 2][c]);
      }
    }
  }

  static void Put(const HalfBlock& block, size_t row, size_t input, const V& sums) {
    float* output = block.outputs + input * block.output_stride + row;
    if (row + V::kLanes <= block.rows) {
      sums.Store(output);
    } else if (row < block.rows) {
      sums.StorePart(output, block.rows - row);
    }
  }

  // All panels against C inputs, two at a time where their sums have room.
  template <size_t C>
  static void Inputs(const HalfBlock& block, size_t input) {
    size_t row = 0;
    if constexpr (2 * C <= kInputs) {
      for (; row + kPanelRows < block.rows; row += 2 * kPanelRows) {
        Panels<2, C>(block, row, input);
      }
    }
    for (; row < block.rows; row += kPanelRows) {
      Panels<1, C>(block, row, input);
    }
  }

  static void Multiply(const HalfBlock& block) {
    size_t input = 0;
    for (; input + kInputs <= block.count; input += kInputs) {
      Inputs<kInputs>(block, input);
    }
    switch (block.count - input) {
      case 5:
        return Inputs<5>(block, input);
      case 4:
        return Inputs<4>(block, input);
      case 3:
        return Inputs<3>(block, input);
      case 2:
        return Inputs<2>(block, input);
      case 1:
        return Inputs<1>(block, input);
      default:
        return;
    }
  }

  static constexpr size_t kPrefetch = 1024;  // weights ahead
};

}  // namespace atelier::tensor

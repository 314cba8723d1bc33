// Products of packed weights with rounded activations: the levels are multiplied as integers, without any rounding, and
// each cell's sum is scaled to a float. One source on a vector type, compiled per instruction set.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "tensor/packed/activations.h"
#include "tensor/packed/packed_format.h"

namespace atelier::tensor {

// outputs[j][i] = row i of the panels times input j.
struct PackedBlock {
  const std::byte* panels = nullptr;
  size_t rows = 0;                          // the last panel may be in part
  size_t cells = 0;                         // of a row
  const ActivationBlock* inputs = nullptr;  // [count, cells]
  size_t count = 0;
  float* outputs = nullptr;  // [count, rows]
  size_t output_stride = 0;
};

// Thread-safe, without state. All instruction sets give the same bits: integer sums are exact, and the float sums of an
// output are added cell by cell, whatever else the block holds.
struct PackedKernels {
  std::string_view name;
  size_t panel_rows;  // for which weights have to be packed
  // Rounds `cells` times 32 activations.
  void (*round)(const float* values, size_t cells, ActivationBlock* to);
  // By the position of the format in kPackedFormats.
  void (*multiply[std::size(kPackedFormats)])(const PackedBlock& block);
};

// All that this machine can run, the fastest last.
std::span<const PackedKernels* const> UsablePackedKernels();
inline const PackedKernels& BestPackedKernels() { return *UsablePackedKernels().back(); }

}  // namespace atelier::tensor

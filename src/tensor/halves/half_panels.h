// Weights of 16 bits (F16, BF16) as the float kernels read them: in panels.
//
// A panel is a few rows, twice as many as the kernels have lanes; rows that fill up the last one are 0. It holds column
// after column. A column of F16 is its rows in order; one of BF16 is words of 32 bits, word r holding row r in its low
// half and row r + lanes in its high half.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace atelier::tensor {

// outputs[j][i] = row i of the panels times input j.
struct HalfBlock {
  const std::byte* panels = nullptr;
  size_t rows = 0;  // the last panel may be in part
  size_t columns = 0;
  const float* inputs = nullptr;  // [count, columns]
  size_t count = 0;
  size_t input_stride = 0;
  float* outputs = nullptr;  // [count, rows]
  size_t output_stride = 0;
};

// Rows of a file that become one panel of `panel_rows` rows, 2 * columns bytes each.
struct HalfPanelSource {
  std::span<const std::byte> rows;  // `count` rows, at most panel_rows, one behind the other
  size_t count = 0;
  size_t columns = 0;
  size_t panel_rows = 0;
  bool bfloat16 = false;
};
// `panel` has 2 * panel_rows * columns bytes. Thread-safe.
void PackHalfPanel(const HalfPanelSource& source, std::span<std::byte> panel);

}  // namespace atelier::tensor

#include "tensor/halves/half_panels.h"

#include <cassert>
#include <cstring>

namespace atelier::tensor {

void PackHalfPanel(const HalfPanelSource& source, std::span<std::byte> panel) {
  assert(panel.size() == 2 * source.panel_rows * source.columns);
  std::memset(panel.data(), 0, panel.size());
  const size_t lanes = source.panel_rows / 2;
  for (size_t row = 0; row < source.count; ++row) {
    const size_t place = source.bfloat16 ? row % lanes * 2 + row / lanes : row;
    const std::byte* from = source.rows.data() + 2 * row * source.columns;
    std::byte* to = panel.data() + 2 * place;
    for (size_t k = 0; k < source.columns; ++k) {
      std::memcpy(to + 2 * source.panel_rows * k, from + 2 * k, 2);
    }
  }
}

}  // namespace atelier::tensor

// From the layout of the file to that of the kernels.
#pragma once

#include <cstddef>
#include <span>

#include "tensor/packed/packed_format.h"

namespace atelier::tensor {

// Rows of a file that become one panel.
struct PanelSource {
  const PackedFormat& format;
  std::span<const std::byte> rows;  // `count` rows, at most panel_rows, one behind the other
  size_t count = 0;
  size_t columns = 0;  // a multiple of the format's block
  size_t panel_rows = 0;
};

// Exact: nothing is rounded. `panel` has format.panel_bytes(panel_rows, columns) bytes. Thread-safe.
void PackPanel(const PanelSource& source, std::span<std::byte> panel);

}  // namespace atelier::tensor

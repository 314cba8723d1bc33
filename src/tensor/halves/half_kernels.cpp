#include "tensor/halves/half_kernels.h"

#include <array>
#include <cassert>
#include <cstring>

#include "tensor/halves/half_kernels_on.h"
#include "tensor/processor.h"
#include "tensor/vec_scalar.h"

namespace atelier::tensor {

#ifdef ATELIER_AVX2
const HalfKernels& HalfKernelsAvx2();  // half_kernels_avx2.cpp
#endif

std::span<const HalfKernels* const> UsableHalfKernels() {
  static constexpr HalfKernels kScalar = HalfKernelsOn<VecScalar>("scalar");
#ifdef ATELIER_AVX2
  static const std::array<const HalfKernels*, 2> kBoth{&kScalar, &HalfKernelsAvx2()};
  if (HasAvx2()) {
    return kBoth;
  }
#endif
  static const std::array<const HalfKernels*, 1> kOne{&kScalar};
  return kOne;
}

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

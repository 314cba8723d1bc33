#include "tensor/halves/half_kernels.h"

#include <cassert>
#include <cstring>
#include <vector>

#include "tensor/halves/half_kernels_on.h"
#include "tensor/instruction_set.h"
#include "tensor/processor.h"
#include "tensor/vec_scalar.h"

namespace atelier::tensor {

const HalfKernels& HalfKernelsAvx2();    // half_kernels_avx2.cpp
const HalfKernels& HalfKernelsAvx512();  // half_kernels_avx512.cpp

namespace {

std::vector<const HalfKernels*> FindUsable() {
  static constexpr HalfKernels kScalar = HalfKernelsOn<VecScalar>("scalar");
  std::vector<const HalfKernels*> usable{&kScalar};
#ifdef ATELIER_AVX2
  if (MayUse("avx2") && HasAvx2()) {
    usable.push_back(&HalfKernelsAvx2());
  }
#endif
#ifdef ATELIER_AVX512
  if (MayUse("avx512") && HasAvx512()) {
    usable.push_back(&HalfKernelsAvx512());
  }
#endif
  return usable;
}

}  // namespace

std::span<const HalfKernels* const> UsableHalfKernels() {
  static const std::vector<const HalfKernels*> kUsable = FindUsable();
  return kUsable;
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

#include "tensor/kernels/float_kernels.h"

#include <array>

#include "tensor/kernels/float_kernels_on.h"
#include "tensor/processor.h"
#include "tensor/vec_scalar.h"

namespace atelier::tensor {

#ifdef ATELIER_AVX2
const FloatKernels& Avx2Kernels();  // float_kernels_avx2.cpp
#endif

const FloatKernels& ScalarKernels() {
  static constexpr FloatKernels kKernels = FloatKernelsOn<VecScalar>::Table("scalar");
  return kKernels;
}

std::span<const FloatKernels* const> UsableFloatKernels() {
#ifdef ATELIER_AVX2
  static const std::array<const FloatKernels*, 2> kBoth{&ScalarKernels(), &Avx2Kernels()};
  if (HasAvx2()) {
    return kBoth;
  }
#endif
  static const std::array<const FloatKernels*, 1> kScalar{&ScalarKernels()};
  return kScalar;
}

}  // namespace atelier::tensor

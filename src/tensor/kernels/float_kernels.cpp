#include "tensor/kernels/float_kernels.h"

#include <vector>

#include "tensor/instruction_set.h"
#include "tensor/kernels/float_kernels_on.h"
#include "tensor/processor.h"
#include "tensor/vec_scalar.h"

namespace atelier::tensor {

const FloatKernels& Avx2Kernels();    // float_kernels_avx2.cpp
const FloatKernels& Avx512Kernels();  // float_kernels_avx512.cpp
const FloatKernels& NeonKernels();    // float_kernels_neon.cpp

namespace {

std::vector<const FloatKernels*> FindUsable() {
  std::vector<const FloatKernels*> usable{&ScalarKernels()};
#ifdef ATELIER_AVX2
  if (MayUse("avx2") && HasAvx2()) {
    usable.push_back(&Avx2Kernels());
  }
#endif
#ifdef ATELIER_AVX512
  if (MayUse("avx512") && HasAvx512()) {
    usable.push_back(&Avx512Kernels());
  }
#endif
#ifdef ATELIER_NEON
  if (MayUse("neon")) {
    usable.push_back(&NeonKernels());
  }
#endif
  return usable;
}

}  // namespace

const FloatKernels& ScalarKernels() {
  static constexpr FloatKernels kKernels = FloatKernelsOn<VecScalar>::Table("scalar");
  return kKernels;
}

std::span<const FloatKernels* const> UsableFloatKernels() {
  static const std::vector<const FloatKernels*> kUsable = FindUsable();
  return kUsable;
}

}  // namespace atelier::tensor

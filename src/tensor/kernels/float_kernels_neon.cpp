// NEON, which every AArch64 has.
#ifdef ATELIER_NEON

#include "tensor/kernels/float_kernels_on.h"
#include "tensor/vec_neon.h"

namespace atelier::tensor {

const FloatKernels& NeonKernels();

const FloatKernels& NeonKernels() {
  static constexpr FloatKernels kKernels = FloatKernelsOn<VecNeon>::Table("neon");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

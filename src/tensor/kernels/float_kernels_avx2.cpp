// Compiled with -mavx2 -mfma -mf16c where the compiler knows them; called only where the machine does.
#ifdef ATELIER_AVX2

#include "tensor/kernels/float_kernels_on.h"
#include "tensor/vec_avx2.h"

namespace atelier::tensor {

const FloatKernels& Avx2Kernels();

const FloatKernels& Avx2Kernels() {
  static constexpr FloatKernels kKernels = FloatKernelsOn<VecAvx2>::Table("avx2");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

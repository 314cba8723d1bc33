// Compiled with -mavx2 -mfma -mf16c where the compiler knows them; called only where the machine does.
#ifdef ATELIER_AVX2

#include "tensor/halves/half_kernels_on.h"
#include "tensor/vec_avx2.h"

namespace atelier::tensor {

const HalfKernels& HalfKernelsAvx2();

const HalfKernels& HalfKernelsAvx2() {
  static constexpr HalfKernels kKernels = HalfKernelsOn<VecAvx2>("avx2");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

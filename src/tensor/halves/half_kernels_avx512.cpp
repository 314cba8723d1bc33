// Compiled with AVX-512's flags where the compiler knows them; called only where the machine does.
#ifdef ATELIER_AVX512

#include "tensor/halves/half_kernels_on.h"
#include "tensor/vec_avx512.h"

namespace atelier::tensor {

const HalfKernels& HalfKernelsAvx512();

const HalfKernels& HalfKernelsAvx512() {
  static constexpr HalfKernels kKernels = HalfKernelsOn<VecAvx512>("avx512");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

// Compiled with AVX-512's flags where the compiler knows them; called only where the machine does.
#ifdef ATELIER_AVX512

#include "tensor/kernels/float_kernels_on.h"
#include "tensor/vec_avx512.h"

namespace atelier::tensor {

const FloatKernels& Avx512Kernels();

const FloatKernels& Avx512Kernels() {
  static constexpr FloatKernels kKernels = FloatKernelsOn<VecAvx512>::Table("avx512");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

// Compiled with -mavx2 -mfma -mf16c where the compiler knows them; called only where the machine does.
#ifdef ATELIER_AVX2

#include "tensor/packed/packed_avx2.h"
#include "tensor/packed/packed_kernels_on.h"

namespace atelier::tensor {

const PackedKernels& PackedKernelsAvx2();

const PackedKernels& PackedKernelsAvx2() {
  static constexpr PackedKernels kKernels = PackedKernelsOn<PackedAvx2>("avx2");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

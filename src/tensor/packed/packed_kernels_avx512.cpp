// Compiled with AVX-512's flags where the compiler knows them; called only where the machine does.
#ifdef ATELIER_AVX512

#include "tensor/packed/packed_avx512.h"
#include "tensor/packed/packed_kernels_on.h"

namespace atelier::tensor {

const PackedKernels& PackedKernelsAvx512();

const PackedKernels& PackedKernelsAvx512() {
  struct Source;
  static constexpr PackedKernels kKernels = PackedKernelsOn<PackedAvx512<Source>>("avx512");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

// Compiled with the flags of AVX-512 and VNNI where the compiler knows them; called only where the machine does.
#ifdef ATELIER_AVX512VNNI

#include "tensor/packed/packed_avx512.h"
#include "tensor/packed/packed_kernels_on.h"

namespace atelier::tensor {

const PackedKernels& PackedKernelsAvx512Vnni();

const PackedKernels& PackedKernelsAvx512Vnni() {
  struct Source;
  static constexpr PackedKernels kKernels = PackedKernelsOn<PackedAvx512Vnni<Source>>("avx512vnni");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

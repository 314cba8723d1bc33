// NEON, which every AArch64 has.
#ifdef ATELIER_NEON

#include "tensor/packed/packed_kernels_on.h"
#include "tensor/packed/packed_neon.h"

namespace atelier::tensor {

const PackedKernels& PackedKernelsNeon();

const PackedKernels& PackedKernelsNeon() {
  struct Source;
  static constexpr PackedKernels kKernels = PackedKernelsOn<PackedNeon<Source>>("neon");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

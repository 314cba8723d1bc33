// Compiled with the flags of NEON's dot products where the compiler knows them; called only where the machine does.
#ifdef ATELIER_NEONDOT

#include "tensor/packed/packed_kernels_on.h"
#include "tensor/packed/packed_neon.h"

namespace atelier::tensor {

const PackedKernels& PackedKernelsNeonDot();

const PackedKernels& PackedKernelsNeonDot() {
  struct Source;
  static constexpr PackedKernels kKernels = PackedKernelsOn<PackedNeonDot<Source>>("neondot");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

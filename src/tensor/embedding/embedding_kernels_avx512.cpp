// Compiled with AVX-512's flags where the compiler knows them; called only where the machine does.
#ifdef ATELIER_AVX512

#include "tensor/embedding/embedding_kernels_on.h"
#include "tensor/vec_avx512.h"

namespace atelier::tensor {

const EmbeddingKernels& Avx512EmbeddingKernels();

const EmbeddingKernels& Avx512EmbeddingKernels() {
  static constexpr EmbeddingKernels kKernels = EmbeddingKernelsOn<VecAvx512>::Table("avx512");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

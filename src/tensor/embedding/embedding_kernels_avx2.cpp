// Compiled with -mavx2 -mfma -mf16c where the compiler knows them; called only where the machine does.
#ifdef ATELIER_AVX2

#include "tensor/embedding/embedding_kernels_on.h"
#include "tensor/vec_avx2.h"

namespace atelier::tensor {

const EmbeddingKernels& Avx2EmbeddingKernels();

const EmbeddingKernels& Avx2EmbeddingKernels() {
  static constexpr EmbeddingKernels kKernels = EmbeddingKernelsOn<VecAvx2>::Table("avx2");
  return kKernels;
}

}  // namespace atelier::tensor

#endif

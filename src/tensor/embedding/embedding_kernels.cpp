#include "tensor/embedding/embedding_kernels.h"

#include <vector>

#include "tensor/embedding/embedding_kernels_on.h"
#include "tensor/instruction_set.h"
#include "tensor/processor.h"
#include "tensor/vec_scalar.h"

namespace atelier::tensor {

const EmbeddingKernels& Avx2EmbeddingKernels();    // embedding_kernels_avx2.cpp
const EmbeddingKernels& Avx512EmbeddingKernels();  // embedding_kernels_avx512.cpp

namespace {

constexpr EmbeddingKernels kScalar = EmbeddingKernelsOn<VecScalar>::Table("scalar");

std::vector<const EmbeddingKernels*> FindUsable() {
  std::vector<const EmbeddingKernels*> usable{&kScalar};
#ifdef ATELIER_AVX2
  if (MayUse("avx2") && HasAvx2()) {
    usable.push_back(&Avx2EmbeddingKernels());
  }
#endif
#ifdef ATELIER_AVX512
  if (MayUse("avx512") && HasAvx512()) {
    usable.push_back(&Avx512EmbeddingKernels());
  }
#endif
  return usable;
}

}  // namespace

std::span<const EmbeddingKernels* const> UsableEmbeddingKernels() {
  static const std::vector<const EmbeddingKernels*> kUsable = FindUsable();
  return kUsable;
}

}  // namespace atelier::tensor

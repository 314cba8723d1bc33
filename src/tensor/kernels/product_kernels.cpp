#include "tensor/kernels/product_kernels.h"

#include <vector>

#include "tensor/instruction_set.h"
#include "tensor/kernels/product_on.h"
#include "tensor/processor.h"
#include "tensor/vec_scalar.h"

namespace atelier::tensor {

ProductKernels Avx2ProductKernels();    // product_kernels_avx2.cpp
ProductKernels Avx512ProductKernels();  // product_kernels_avx512.cpp

namespace {

std::vector<ProductKernels> FindUsable() {
  std::vector<ProductKernels> usable{{"scalar", &ProductOn<VecScalar>::Product}};
#ifdef ATELIER_AVX2
  if (MayUse("avx2") && HasAvx2()) {
    usable.push_back(Avx2ProductKernels());
  }
#endif
#ifdef ATELIER_AVX512
  if (MayUse("avx512") && HasAvx512()) {
    usable.push_back(Avx512ProductKernels());
  }
#endif
  return usable;
}

}  // namespace

std::span<const ProductKernels> UsableProductKernels() {
  static const std::vector<ProductKernels> kUsable = FindUsable();
  return kUsable;
}

}  // namespace atelier::tensor

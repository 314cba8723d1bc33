#ifdef ATELIER_AVX512

#include "tensor/kernels/product_on.h"
#include "tensor/vec_avx512.h"

namespace atelier::tensor {

ProductKernels Avx512ProductKernels();

ProductKernels Avx512ProductKernels() { return {"avx512", &ProductOn<VecAvx512>::Product}; }

}  // namespace atelier::tensor

#endif

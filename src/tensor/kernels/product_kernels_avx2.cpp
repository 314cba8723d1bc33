#ifdef ATELIER_AVX2

#include "tensor/kernels/product_on.h"
#include "tensor/vec_avx2.h"

namespace atelier::tensor {

ProductKernels Avx2ProductKernels();

ProductKernels Avx2ProductKernels() { return {"avx2", &ProductOn<VecAvx2>::Product}; }

}  // namespace atelier::tensor

#endif

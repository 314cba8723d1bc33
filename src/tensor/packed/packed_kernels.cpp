#include "tensor/packed/packed_kernels.h"

#include <array>

#include "tensor/packed/packed_kernels_on.h"
#include "tensor/packed/packed_scalar.h"
#include "tensor/processor.h"

namespace atelier::tensor {

#ifdef ATELIER_AVX2
const PackedKernels& PackedKernelsAvx2();  // packed_kernels_avx2.cpp
#endif

std::span<const PackedKernels* const> UsablePackedKernels() {
  static constexpr PackedKernels kScalar = PackedKernelsOn<PackedScalar>("scalar");
#ifdef ATELIER_AVX2
  static const std::array<const PackedKernels*, 2> kBoth{&kScalar, &PackedKernelsAvx2()};
  if (HasAvx2()) {
    return kBoth;
  }
#endif
  static const std::array<const PackedKernels*, 1> kOne{&kScalar};
  return kOne;
}

}  // namespace atelier::tensor

#include "tensor/packed/packed_kernels.h"

#include <vector>

#include "tensor/instruction_set.h"
#include "tensor/packed/packed_kernels_on.h"
#include "tensor/packed/packed_scalar.h"
#include "tensor/processor.h"

namespace atelier::tensor {

const PackedKernels& PackedKernelsAvx2();        // packed_kernels_avx2.cpp
const PackedKernels& PackedKernelsAvx512();      // packed_kernels_avx512.cpp
const PackedKernels& PackedKernelsAvx512Vnni();  // packed_kernels_avx512vnni.cpp
const PackedKernels* PackedKernelsAmx();         // packed_kernels_amx.cpp
const PackedKernels& PackedKernelsNeon();        // packed_kernels_neon.cpp
const PackedKernels& PackedKernelsNeonDot();     // packed_kernels_neondot.cpp

namespace {

std::vector<const PackedKernels*> FindUsable() {
  static constexpr PackedKernels kScalar = PackedKernelsOn<PackedScalar>("scalar");
  std::vector<const PackedKernels*> usable{&kScalar};
#ifdef ATELIER_AVX2
  if (MayUse("avx2") && HasAvx2()) {
    usable.push_back(&PackedKernelsAvx2());
  }
#endif
#ifdef ATELIER_AVX512
  if (MayUse("avx512") && HasAvx512()) {
    usable.push_back(&PackedKernelsAvx512());
  }
#endif
#ifdef ATELIER_AVX512VNNI
  if (MayUse("avx512vnni") && HasAvx512Vnni()) {
    usable.push_back(&PackedKernelsAvx512Vnni());
  }
#endif
#ifdef ATELIER_AMX
  if (MayUse("amx") && HasAmx() && PackedKernelsAmx() != nullptr) {
    usable.push_back(PackedKernelsAmx());
  }
#endif
#ifdef ATELIER_NEON
  if (MayUse("neon")) {
    usable.push_back(&PackedKernelsNeon());
  }
#endif
#ifdef ATELIER_NEONDOT
  if (MayUse("neondot") && HasNeonDot()) {
    usable.push_back(&PackedKernelsNeonDot());
  }
#endif
  return usable;
}

}  // namespace

std::span<const PackedKernels* const> UsablePackedKernels() {
  static const std::vector<const PackedKernels*> kUsable = FindUsable();
  return kUsable;
}

}  // namespace atelier::tensor

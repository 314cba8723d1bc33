// What this machine's processor can do.
#pragma once

namespace atelier::tensor {

#ifdef ATELIER_AVX2
// AVX2, FMA and F16C; compilers cannot be asked for the last, which is older than AVX2 on every processor that has
// both.
inline bool HasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

}  // namespace atelier::tensor

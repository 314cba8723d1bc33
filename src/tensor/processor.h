// What this machine's processor can do, as far as its system lets programs do it.
#pragma once

namespace atelier::tensor {

#ifdef __x86_64__
// AVX2, FMA and F16C; compilers cannot be asked for the last, which is older than AVX2 on every processor that has
// both.
inline bool HasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
// The parts of AVX-512 that all its processors for servers have.
inline bool HasAvx512() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
inline bool HasAvx512Vnni() { return HasAvx512() && __builtin_cpu_supports("avx512vnni"); }
// Tiles and products of bytes on them. Asks the system for leave to use them, which holds for all threads.
bool HasAmx();
#endif
#ifdef __aarch64__
// Dot products of bytes, which are newer than NEON.
bool HasNeonDot();
#endif

}  // namespace atelier::tensor

// Loops over all of a vocabulary, compiled a second time for wider registers. Both forms do the same arithmetic in the
// same order (nothing is fused), so the results are the same bits.
#pragma once

namespace atelier::engine {

// A function that is compiled for the instruction set of whoever calls it.
#define ATELIER_LOOP [[gnu::always_inline]] inline

#if defined(__x86_64__)
#define ATELIER_WIDE [[gnu::target("avx2")]]
inline bool HasWide() { return __builtin_cpu_supports("avx2"); }
#else
#define ATELIER_WIDE
inline bool HasWide() { return false; }
#endif

}  // namespace atelier::engine

// What the machine can do at most, measured: the ceilings that speeds are compared with.
#pragma once

#include <cstddef>
#include <string_view>

namespace atelier::bench {

// Bytes a second that `threads` threads read together out of a buffer much larger than the caches, with software
// prefetch; the best of several distances. `huge_pages`: where the system gives them.
double ReadBandwidth(size_t threads, bool huge_pages);

struct IntegerPeak {
  std::string_view instructions;  // "amx-int8", "avx512-vnni", "avx2", or "none"
  double operations = 0;          // a second: multiplications and additions of bytes, in registers
};
// Of the best instruction set that this processor has.
IntegerPeak MeasureIntegerPeak(size_t threads);

}  // namespace atelier::bench

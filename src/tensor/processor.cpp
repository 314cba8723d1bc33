#include "tensor/processor.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace atelier::tensor {
namespace {

// The state that the system keeps for each thread (Intel, "Software Developer's Manual" 1, 13.3).
uint64_t KeptState() {
  uint32_t low = 0;
  uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

}  // namespace

bool HasAmx() {
  uint32_t a = 0;
  uint32_t b = 0;
  uint32_t c = 0;
  uint32_t d = 0;
  constexpr uint32_t kTiles = 1U << 24;
  constexpr uint32_t kBytes = 1U << 25;
  if (!HasAvx512Vnni() || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTiles) == 0 || (d & kBytes) == 0) {
    return false;
  }
  constexpr uint64_t kTileState = 3U << 17;
  if ((KeptState() & kTileState) != kTileState) {
    return false;
  }
  // The kernel's Documentation/x86/xstate.rst.
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace atelier::tensor

#endif

#ifdef __aarch64__
#include <asm/hwcap.h>
#include <sys/auxv.h>

namespace atelier::tensor {

bool HasNeonDot() { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }

}  // namespace atelier::tensor

#endif

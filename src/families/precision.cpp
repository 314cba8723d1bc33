#include "families/precision.h"

#include <ATen/autocast_mode.h>
#include <torch/version.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace atelier::families {
namespace {

// LibTorch 2.4 replaced the calls for the processor by calls that take a device.
void EnableCpuAutocast(bool enabled) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, enabled);
#else
  at::autocast::set_autocast_cpu_dtype(at::kBFloat16);
  at::autocast::set_cpu_enabled(enabled);
#endif
}

}  // namespace

bool HasBf16Hardware() {
#if defined(__x86_64__)
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && ((edx >> 22U) & 1U) != 0) {
    return true;  // AMX-BF16
  }
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && ((eax >> 5U) & 1U) != 0;  // AVX512_BF16
#else
  return false;
#endif
}

std::string ResolvePrecision(const std::string& setting) {
  if (setting != "auto") {
    return setting;
  }
  return HasBf16Hardware() ? "bf16" : "fp32";
}

AutocastScope::AutocastScope(bool bf16) : bf16_(bf16) {
  if (bf16_) {
    at::autocast::increment_nesting();
    EnableCpuAutocast(true);
  }
}

AutocastScope::~AutocastScope() {
  if (bf16_) {
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
    EnableCpuAutocast(false);
  }
}

}  // namespace atelier::families

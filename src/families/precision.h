// Mixed precision: matrix products in bfloat16, everything else in float32.
#pragma once

#include <string>

namespace atelier::families {

// Whether the processor multiplies bfloat16 in hardware (AVX512_BF16 or AMX_BF16, by CPUID).
bool HasBf16Hardware();

// "auto" -> "bf16" or "fp32" on this processor; the others stay.
std::string ResolvePrecision(const std::string& setting);

// While it lives, LibTorch computes matrix products and convolutions on this thread in bfloat16 where `bf16`.
class AutocastScope {
 public:
  explicit AutocastScope(bool bf16);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool bf16_;
};

}  // namespace atelier::families

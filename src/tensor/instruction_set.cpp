#include "tensor/instruction_set.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "tensor/packed/packed_kernels.h"

namespace atelier::tensor {
namespace {

std::string_view Wanted() {
  const char* text = std::getenv("ATELIER_INSTRUCTION_SET");
  return text == nullptr ? "" : text;
}

}  // namespace

bool MayUse(std::string_view instruction_set) {
  static constexpr std::string_view kSets[] = {"scalar", "neon", "neondot", "avx2", "avx512", "avx512vnni", "amx"};
  return std::ranges::find(kSets, Wanted()) >= std::ranges::find(kSets, instruction_set);
}

Status CheckInstructionSet() {
  const std::string_view wanted = Wanted();
  if (wanted.empty() || wanted == "auto" || wanted == BestPackedKernels().name) {
    return {};
  }
  std::string names;
  for (const PackedKernels* kernels : UsablePackedKernels()) {
    names += (names.empty() ? "" : ", ") + std::string(kernels->name);
  }
  return FailedPrecondition("this machine cannot run the instruction set '" + std::string(wanted) +
                            "' of ATELIER_INSTRUCTION_SET; it can run " + names);
}

}  // namespace atelier::tensor

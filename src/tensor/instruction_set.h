// Which of the machine's instruction sets are used: all, or for comparisons those up to the one that the environment's
// ATELIER_INSTRUCTION_SET names: scalar; avx2, avx512, avx512vnni or amx; neon or neondot (with dot products); auto is
// all. Read when kernels are first asked for.
#pragma once

#include <string_view>

#include "base/result.h"

namespace atelier::tensor {

// Whether the environment goes as far as a set; a word that it should not hold goes as far as there is.
bool MayUse(std::string_view instruction_set);

// Errors: kFailedPrecondition when the environment names a set that the machine cannot run, or none.
Status CheckInstructionSet();

}  // namespace atelier::tensor

#include "families/process.h"

#include <dlfcn.h>
#include <torch/torch.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>

namespace atelier::families {

void ConfigureProcess(int threads) {
  threads = std::max(1, threads);
  at::set_num_threads(threads);
  at::globalContext().setDeterministicAlgorithms(true, false);
  // Looked up by name, since the BLAS behind libblas.so.3 is the machine's choice.
  if (auto* symbol = ::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"); symbol != nullptr) {
    reinterpret_cast<void (*)(int)>(symbol)(threads);
  }
#if defined(__GLIBC__)
  constexpr int kLargestDirect = 1 << 30;
  ::mallopt(M_MMAP_THRESHOLD, kLargestDirect);
  ::mallopt(M_TRIM_THRESHOLD, kLargestDirect);
  ::mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace atelier::families

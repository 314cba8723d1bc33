// Settings of LibTorch and its helpers that hold for the whole process. Jobs and workers make them once, before work.
#pragma once

namespace atelier::families {

// At most `threads` for LibTorch's loops and for OpenBLAS, which does not follow LibTorch's setting; deterministic
// algorithms; and freed memory is kept by the allocator: the buffers of one step are those of the next, and handing
// them back to the system costs more in page faults than the arithmetic of a small network.
void ConfigureProcess(int threads);

}  // namespace atelier::families

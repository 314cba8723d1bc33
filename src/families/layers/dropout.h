// Dropout (N. Srivastava et al., JMLR 15, 2014), shared out among LibTorch's threads; its own draws on one.
#pragma once

#include <torch/torch.h>

namespace atelier::families::layers {

// F32, of the input's shape: in training a share of the numbers, in [0, 1), is zero, and the others are divided by what
// is left. Which ones follows from one draw of LibTorch's generator and the place of each number, whatever the number
// of threads. Else, and where the share is none, the input itself.
torch::Tensor Dropout(const torch::Tensor& input, double share, bool training);

}  // namespace atelier::families::layers

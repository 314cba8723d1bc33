// max_pool2d(relu(x), 2) in one pass each way.
#pragma once

#include <torch/torch.h>

namespace atelier::families {

// input: F32 [batch, channels, height, width], best in channels-last layout. Returns F32 [batch, channels, height / 2,
// width / 2] in that layout: relu of the largest value of each 2 x 2 window; a last odd row or column is left out.
// Values and gradients equal those of relu followed by max_pool2d: among equal values the first of the window gets the
// gradient, and NaN is passed on. Differs in what is kept for the way back: one byte a window instead of the input and
// eight bytes.
torch::Tensor ReluMaxPool2(const torch::Tensor& input);

}  // namespace atelier::families

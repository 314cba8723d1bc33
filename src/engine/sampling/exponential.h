// The exponentials of many logits at once.
#pragma once

#include <span>

namespace atelier::engine {

// weights[i] (unless `weights` is empty) = exp(scale * (logits[i] - largest)), for finite `logits` or -infinity, none
// above `largest`, and 0 < scale <= the largest float; returns their sum. Relative error of a weight about 1e-7, and
// that of rounding the argument; what is less than exp(-87) becomes 0. The same everywhere: plain arithmetic, in a
// fixed order. Cody and Waite's reduction by ln 2, and a polynomial (Cephes' expf).
double Exponentials(std::span<const float> logits, float largest, float scale, std::span<float> weights);

}  // namespace atelier::engine

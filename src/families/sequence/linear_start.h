// Where the linear part of a forecast starts: at the ridge regression over the training windows (A. Hoerl, R. Kennard,
// 1970), its penalty chosen by generalized cross-validation (G. Golub, M. Heath, G. Wahba, 1979). A short series has
// too few steps of training to find its season by gradients.
#pragma once

#include <torch/torch.h>

namespace atelier::families {

// Sums over rows; what solves them needs no row again.
class RidgeSums {
 public:
  // x F32 [rows, inputs], y F32 [rows, outputs].
  void Add(const torch::Tensor& x, const torch::Tensor& y);

  // F32 [outputs, inputs + 1], the last column a constant's. Needs a row at least.
  torch::Tensor Solve() const;

 private:
  double rows_ = 0;
  double squares_ = 0;    // of y
  torch::Tensor inputs_;  // F64 [inputs + 1, inputs + 1]: x'x
  torch::Tensor both_;    // F64 [inputs + 1, outputs]: x'y
};

}  // namespace atelier::families

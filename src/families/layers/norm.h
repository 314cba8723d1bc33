// Normalisation of the last dimension.
#pragma once

#include <torch/torch.h>

namespace atelier::families::layers {

// x / sqrt(mean(x^2) + epsilon) * weight (Zhang and Sennrich, arXiv:1910.07467), one pass each way.
//   input: F32 [..., width]; weight: F32 [width]
torch::Tensor RmsNormalise(const torch::Tensor& input, const torch::Tensor& weight, double epsilon);

enum class NormKind { kRms, kLayer };

// Parameter "weight" [width], one; kLayer (Ba et al., arXiv:1607.06450) also "bias" [width], zero.
class NormImpl : public torch::nn::Module {
 public:
  NormImpl(NormKind kind, int64_t width, double epsilon);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  double epsilon_;
  torch::Tensor weight_;
  torch::Tensor bias_;  // undefined: kRms
};
TORCH_MODULE(Norm);

}  // namespace atelier::families::layers

// The part of a transformer's block that looks at one position at a time.
#pragma once

#include <torch/torch.h>

#include "families/layers/linear.h"

namespace atelier::families::layers {

// silu(gate) * up (Shazeer, arXiv:2002.05202), one pass each way. Both F32 of the same shape.
torch::Tensor GatedSilu(const torch::Tensor& gate, const torch::Tensor& up);

enum class FeedForwardKind {
  kSwiGlu,    // down(silu(gate(x)) * up(x))
  kGelu,      // down(gelu(up(x)))
  kGeluTanh,  // the same with GPT-2's approximation of gelu by tanh
  kRelu,
};

// Modules "up", "down" and, of kSwiGlu, "gate".
class FeedForwardImpl : public torch::nn::Module {
 public:
  FeedForwardImpl(FeedForwardKind kind, int64_t width, int64_t hidden, bool bias);
  torch::Tensor forward(const torch::Tensor& input);  // [..., width] -> [..., width]

  Linear gate{nullptr}, up{nullptr}, down{nullptr};

 private:
  FeedForwardKind kind_;
};
TORCH_MODULE(FeedForward);

}  // namespace atelier::families::layers

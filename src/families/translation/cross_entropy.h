// The loss of a vocabulary's logits without ever holding all of them.
#pragma once

#include <torch/torch.h>

namespace atelier::families {

struct TokenLoss {
  torch::Tensor loss{};  // F32 []: the mean over the tokens, with its graph
  double plain = 0;      // the mean without smoothing: -log p(target)
  int64_t right = 0;     // tokens whose likeliest id is the target
};

// Cross entropy of softmax(states weight^T) with label smoothing (Szegedy et al., arXiv:1512.00567): the target
// distribution is (1 - smoothing) at the target and smoothing / vocabulary everywhere. The logits are made, used for
// the gradient and dropped some rows at a time, so that they stay in the cache.
//   states: F32 [tokens, width], at least one; weight: F32 [vocabulary, width]; targets: I64 [tokens], each an id
TokenLoss SmoothedCrossEntropy(const torch::Tensor& states, const torch::Tensor& weight, const torch::Tensor& targets,
                               double smoothing);

}  // namespace atelier::families

// Losses of models that give one row of outputs an example, and what is summed over an epoch.
#pragma once

#include <torch/torch.h>

#include <string>

#include "families/learner.h"

namespace atelier::families {

// The mean loss over a batch.
//   sparse_cross_entropy: -log softmax(output)[target]
//   cross_entropy       : -sum t log softmax(output), with t one-hot
//   mse                 : mean of (output - target)^2; in classification of (softmax(output) - one-hot)^2
// outputs: F32 [batch, outputs]; targets: I64 [batch] of classes, or F32 [batch, outputs].
torch::Tensor Loss(const std::string& name, const torch::Tensor& outputs, const torch::Tensor& targets);

// The sums of one batch; score: classification: hits; regression: squared errors, standardised.
Sums SumsOf(double mean_loss, const torch::Tensor& outputs, const torch::Tensor& targets);

}  // namespace atelier::families

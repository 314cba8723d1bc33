// Losses, and the running sums of an epoch.
#pragma once

#include <torch/torch.h>

#include <string>

#include "families/preprocess/preprocessor.h"

namespace atelier::learning {

// The mean loss over a batch.
//   sparse_cross_entropy: -log softmax(output)[target]
//   cross_entropy       : -sum t log softmax(output), with t one-hot
//   mse                 : mean of (output - target)^2; in classification of (softmax(output) - one-hot)^2
// outputs: F32 [batch, outputs]; targets: as GatherTargets.
torch::Tensor Loss(const std::string& name, const torch::Tensor& outputs, const torch::Tensor& targets);

struct EpochSums {
  double loss = 0;   // sum over samples
  double score = 0;  // classification: hits; regression: squared errors, standardised
  double samples = 0;

  void Add(double mean_loss, const torch::Tensor& outputs, const torch::Tensor& targets);
  double mean_loss() const { return samples > 0 ? loss / samples : 0; }
  double metric(const families::TargetInfo& target) const;  // accuracy or RMSE
};

}  // namespace atelier::learning

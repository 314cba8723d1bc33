// Optimisers on the parameters of one network that require gradients, written as single passes over memory so that the
// small networks here are not slowed by a dozen tensor operations a parameter. Deterministic: the order of every sum is
// fixed.
//
// Adam (D. Kingma, J. Ba, arXiv:1412.6980), epsilon 1e-8:
//   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  w -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
// SGD with momentum as torch does it: u = momentum * u + g;  w -= lr * u
// Both: g first gets the penalties' gradient (l1 * sign w + 2 * l2 * w on weights), then is clipped to the L2 norm over
// all parameters; decoupled weight decay w -= lr * weight_decay * w on weights (arXiv:1711.05101).
#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "learning/spec/train_settings.h"

namespace atelier::learning {

// Not thread-safe. Borrows the network's parameters: the network must outlive it.
class Optimizer {
 public:
  Optimizer(const torch::nn::Module& network, const TrainSettings& settings);

  // Uses the gradients, then drops them. `step` counts from 1. Returns the gradient's norm before clipping where
  // clipping is on, else 0.
  double Step(double learning_rate, int64_t step);

  // The moments by name ("m.<parameter>", "v.<parameter>"), sharing memory with the optimiser.
  std::map<std::string, torch::Tensor> State() const;
  // Errors: kDataLoss where a tensor is missing or has another shape.
  Status SetState(const std::map<std::string, torch::Tensor>& state);

 private:
  struct Slot {
    std::string name;
    torch::Tensor parameter;
    torch::Tensor first;   // Adam m, SGD velocity; undefined where not needed
    torch::Tensor second;  // Adam v
    bool penalised = false;
  };

  void AddPenalties(const Slot& slot, float* gradient) const;
  double ClipScale(const std::vector<torch::Tensor>& gradients, double& norm) const;

  std::vector<Slot> slots_;
  bool adam_ = true;
  float beta1_;
  float beta2_;
  float momentum_;
  float weight_decay_;
  float l1_;
  float l2_;
  double clip_;
};

}  // namespace atelier::learning

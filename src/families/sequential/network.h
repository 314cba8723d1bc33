// The network of every family whose model is one chain of layers (mlp, cnn).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "families/spec/model_config.h"
#include "families/weights.h"

namespace atelier::families {

// Weights are named "layers.<index>.<what>" with the index in ModelConfig::layers, as torch.nn.Sequential names them.
// Initialised as torch does: uniform in +-1/sqrt(fan_in) (He et al., arXiv:1502.01852, with a = sqrt 5).
class Network : public torch::nn::Module {
 public:
  explicit Network(const Plan& plan);

  // input: F32 [batch, features] or [batch, channels, height, width]. Returns logits or values F32 [batch, outputs].
  torch::Tensor Forward(const torch::Tensor& input);

 private:
  torch::nn::Sequential layers_;
  std::vector<bool> starts_relu_pool_;  // a relu whose next layer is a 2 x 2 maximum pooling: computed in one pass
  bool convolves_ = false;
};

// Draws the initial weights from `seed` alone. Errors: as MakePlan; kResourceExhausted when memory is short.
Result<std::unique_ptr<Network>> BuildNetwork(const ModelConfig& config, uint64_t seed);

}  // namespace atelier::families

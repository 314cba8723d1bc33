// The network of every family whose model is one chain of layers (mlp, cnn).
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "families/spec/model_config.h"
#include "tensor/safetensors.h"

namespace atelier::families {

// Weights are named "layers.<index>.<what>" with the index in ModelConfig::layers, as torch.nn.Sequential names them.
// Initialised as torch does: uniform in +-1/sqrt(fan_in) (He et al., arXiv:1502.01852, with a = sqrt 5).
class Network : public torch::nn::Module {
 public:
  explicit Network(const Plan& plan);

  // input: F32 [batch, features] or [batch, channels, height, width]. Returns logits or values F32 [batch, outputs].
  torch::Tensor Forward(const torch::Tensor& input);
  bool has_dropout() const { return has_dropout_; }

 private:
  torch::nn::Sequential layers_;
  std::vector<bool> starts_relu_pool_;  // a relu whose next layer is a 2 x 2 maximum pooling: computed in one pass
  bool convolves_ = false;
  bool has_dropout_ = false;
};

// Draws the initial weights from `seed` alone. Errors: as MakePlan; kResourceExhausted when memory is short.
Result<std::unique_ptr<Network>> BuildNetwork(const ModelConfig& config, uint64_t seed);

// All parameters and buffers by name, detached, contiguous, sharing memory with the network where they can.
std::map<std::string, torch::Tensor> StateOf(const Network& network);

// Copies tensors into the network. Errors: kInvalidArgument "invalid_model_file" unless names, shapes and types are
// exactly the network's and every number is finite; the network is then unchanged.
Status SetState(Network& network, const std::map<std::string, torch::Tensor>& state);

// Borrowed views for WriteSafetensors; the tensors must be contiguous and outlive the views.
Result<std::map<std::string, tensor::View>> ViewsOf(const std::map<std::string, torch::Tensor>& tensors);
// A copy as a torch tensor. Errors: kInvalidArgument for types other than F32, F64, I64, U8.
Result<torch::Tensor> TensorFrom(const tensor::View& view);

// The bytes of model.safetensors, streamed. A pure function of the weights.
Status WriteWeights(const Network& network, const std::function<Status(std::span<const std::byte>)>& sink);
Status LoadWeights(Network& network, const std::filesystem::path& file);

// Runs `work` and turns exceptions of LibTorch into kInternal, or kResourceExhausted when memory is short.
Status CatchTorch(const std::function<Status()>& work);

}  // namespace atelier::families

// The encoder of BERT (Devlin et al., arXiv:1810.04805) and its heads.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "families/bert/batch.h"
#include "families/bert/config.h"
#include "families/layers/block.h"
#include "families/learner.h"
#include "families/weights.h"

namespace atelier::families::bert {

// Modules and parameters "tokens", "positions", "types", "norm", "blocks.N"; by the task "pooler", "output" (classes, a
// number, tags), "transform", "transform_norm", "output_bias" (masked-lm, whose matrix is that of the tokens).
class NetworkImpl : public torch::nn::Module {
 public:
  // Weights begin as BERT's: N(0, 0.02^2), drawn from torch's generator.
  explicit NetworkImpl(const Config& config);

  torch::Tensor States(const Batch& batch);  // F32 [texts, length, width]
  // Of a classification or regression: F32 [texts, outputs], of the first state.
  torch::Tensor Classify(const torch::Tensor& states);
  // Of the states of some tokens, F32 [tokens, width]: F32 [tokens, outputs] of tags, [tokens, vocabulary] of
  // masked-lm.
  torch::Tensor Tokens(const torch::Tensor& states);
  // Of an embedding: F32 [texts, width], of length 1.
  torch::Tensor Embed(const torch::Tensor& states, const Batch& batch) const;

  const Config& config() const { return config_; }
  // Embeddings and the first `layers` blocks get no gradients any more.
  void Freeze(int64_t layers);

 private:
  torch::Tensor Drop(const torch::Tensor& x) const;

  Config config_;
  torch::Tensor tokens_, positions_, types_;
  layers::Norm norm_{nullptr};
  std::vector<layers::Block> blocks_;
  layers::Linear pooler_{nullptr}, output_{nullptr}, transform_{nullptr};
  layers::Norm transform_norm_{nullptr};
  torch::Tensor output_bias_;
};
TORCH_MODULE(Network);

// All weights under the names that transformers' class of the task has in model.safetensors.
Tensors ToHuggingFace(const NetworkImpl& network);

enum class Heads : uint8_t {
  kMust,   // all are in the file
  kMay,    // what the file has not stays as it was drawn
  kDrawn,  // so does what gives classes, tags or a number
};

// Reads weights of F32, F16 or BF16 under those names, with or without "bert." before them. Errors: kInvalidArgument
// "invalid_model_file", naming the tensor (missing, of another shape, no finite number).
Status ReadWeights(const Tensors& file, Heads heads, NetworkImpl& network);

}  // namespace atelier::families::bert

// A decoder that predicts the next token.
#pragma once

#include <torch/torch.h>

#include <optional>
#include <vector>

#include "families/gpt/shape.h"
#include "families/layers/block.h"

namespace atelier::families::gpt {

// Modules "tokens" [vocabulary, width], "positions" [context, width] (kGpt2), "blocks.N", "norm" and, untied, "output".
class NetworkImpl : public torch::nn::Module {
 public:
  // The weights begin as GPT-2's: N(0, 0.02^2), what is added to the sums / sqrt(2 layers). `dropout` is of embeddings
  // and of what each part adds.
  NetworkImpl(const Shape& shape, double dropout);

  // tokens: I64 [batch, count], at most `context` of them, which see each other as `mask` says. `positions`: I64
  // [batch, count], of learnt positions; undefined: 0, 1, 2 ... Returns F32 [batch, count, width], normalised.
  torch::Tensor States(const torch::Tensor& tokens, const layers::AttentionMask& mask,
                       const torch::Tensor& positions = {});
  // states: F32 [..., width]. Returns F32 [..., vocabulary].
  torch::Tensor Logits(const torch::Tensor& states);

  // Keeps the linear maps of the blocks in four bits, where they fit (layers/quantised.h).
  void Quantise();
  // Adds low-rank maps to the linear ones of attention and feed-forward parts and freezes everything else. With
  // `attention_only` the feed-forward ones stay as they are. To be called once.
  void AddLora(const layers::LoraOptions& options, bool attention_only);
  const std::optional<layers::LoraOptions>& lora() const { return lora_; }

  const Shape& shape() const { return shape_; }

 private:
  // The linear maps of the blocks.
  std::vector<layers::Linear*> Maps(bool attention_only);

  Shape shape_;
  double dropout_;
  torch::Tensor tokens_;
  torch::Tensor positions_;
  std::vector<layers::Block> blocks_;
  layers::Norm norm_{nullptr};
  layers::Linear output_{nullptr};
  layers::RopeTable rope_;
  std::optional<layers::LoraOptions> lora_;
};
TORCH_MODULE(Network);

}  // namespace atelier::families::gpt

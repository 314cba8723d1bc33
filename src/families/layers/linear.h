// A linear map, and a low-rank addition to one that stays as it is.
#pragma once

#include <torch/torch.h>

#include <optional>

namespace atelier::families::layers {

// LoRA (Hu et al., arXiv:2106.09685): y = W x + b + (alpha / rank) B A drop(x).
struct LoraOptions {
  int64_t rank = 8;
  double alpha = 16;
  double dropout = 0;
};

// Parameters "weight" [outputs, inputs], "bias" [outputs] where there is one, and with LoRA "lora_a" [rank, inputs] and
// "lora_b" [outputs, rank]. Weights begin as N(0, 0.02^2) and biases as zero, as GPT-2's do.
class LinearImpl : public torch::nn::Module {
 public:
  LinearImpl(int64_t inputs, int64_t outputs, bool bias);

  torch::Tensor forward(const torch::Tensor& input);  // [..., inputs] -> [..., outputs]

  // Adds A, with the usual uniform start, and B, zero; weight and bias no longer get gradients. To be called once.
  void AddLora(const LoraOptions& options);
  // Keeps the weight in four bits, where its rows are whole blocks of that format: it is then no parameter, but the
  // buffer "packed" (quantised.h). It gets no gradients any more.
  void Quantise();

  torch::Tensor weight;  // [outputs, inputs], or undefined: quantised
  torch::Tensor bias;    // [outputs], or undefined
  torch::Tensor lora_a;  // [rank, inputs], or undefined
  torch::Tensor lora_b;  // [outputs, rank], or undefined

 private:
  torch::Tensor packed_;
  int64_t inputs_;
  std::optional<LoraOptions> lora_;
};
TORCH_MODULE(Linear);

}  // namespace atelier::families::layers

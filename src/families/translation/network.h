// The network of config.h.
#pragma once

#include <torch/torch.h>

#include <vector>

#include "families/layers/block.h"
#include "families/translation/config.h"
#include "families/weights.h"

namespace atelier::families {

class TranslatorImpl : public torch::nn::Module {
 public:
  // Weights are drawn from torch's generator: Xavier's uniform (Glorot and Bengio 2010), embeddings N(0, 1 / width).
  explicit TranslatorImpl(const TranslationConfig& config);

  // What decoding knows of one batch of texts. Rows belong to texts: text i has rows i * beams to (i + 1) * beams - 1.
  struct State {
    torch::Tensor memory{};                   // F32 [texts, source, width]
    torch::Tensor present{};                  // Bool [texts, source]: false: padding
    std::vector<layers::KeyValues> own{};     // a layer: [rows, position, heads, head]
    std::vector<layers::KeyValues> across{};  // a layer: [texts, source, heads, head]
    int64_t position = 0;
  };

  // tokens: I64 [texts, source]; present: Bool of the same shape. Returns F32 [texts, source, width].
  torch::Tensor Encode(const torch::Tensor& tokens, const torch::Tensor& present);
  // All positions at once, each seeing those before it. tokens: I64 [texts, target]. Returns F32 [texts, target,
  // width].
  torch::Tensor Decode(const torch::Tensor& tokens, const torch::Tensor& memory, const torch::Tensor& present);

  // Begins with what Encode gave; the first step has one row a text, or as many as later steps.
  State Begin(torch::Tensor memory, torch::Tensor present) const;
  // The next position of each row. tokens: I64 [rows]. Returns logits, F32 [rows, vocabulary].
  torch::Tensor Step(const torch::Tensor& tokens, State& state);
  // Goes on with these rows (I64) and, unless undefined, these texts.
  static void Select(State& state, const torch::Tensor& rows, const torch::Tensor& texts);

  const torch::Tensor& embeddings() const { return shared_; }  // F32 [vocabulary, width]

 private:
  torch::Tensor Embed(const torch::Tensor& tokens, int64_t first);
  void Start();

  TranslationConfig config_;
  torch::Tensor shared_;     // parameter "shared"
  torch::Tensor positions_;  // F32 [max_length, width]; no part of the weights
  std::vector<layers::Block> encoder_, decoder_;
  layers::Norm encoder_norm_{nullptr}, decoder_norm_{nullptr};
};
TORCH_MODULE(Translator);

// The weights under the names that Hugging Face's M2M100 has, and back. Errors of the second: kInvalidArgument
// "invalid_model_file" naming a tensor without such a name.
Tensors ToM2m100(const Tensors& state);
Result<Tensors> FromM2m100(const Tensors& tensors);

}  // namespace atelier::families

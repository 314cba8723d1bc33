// Weights kept in four bits, as QLoRA keeps those that stay as they are (Dettmers et al., arXiv:2305.14314). The format
// is ggml's IQ4_NL: as there, sixteen levels that lie denser near zero and a scale for each block, here of 32 weights.
#pragma once

#include <torch/torch.h>

namespace atelier::families::layers {

// Whether a matrix of this many inputs can be kept so.
bool CanQuantise(int64_t inputs);

// weight: F32 [outputs, inputs]. Returns U8 [outputs, bytes of a row].
torch::Tensor QuantiseWeight(const torch::Tensor& weight);
torch::Tensor DequantiseWeight(const torch::Tensor& packed, int64_t inputs);  // F32 [outputs, inputs]

// input W^T, where W is made out of its blocks each way and not kept. input: F32 [..., inputs].
torch::Tensor QuantisedLinear(const torch::Tensor& input, const torch::Tensor& packed);

}  // namespace atelier::families::layers

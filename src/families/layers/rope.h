// Rotary positions (Su et al., arXiv:2104.09864), in the halves that Hugging Face's Llama pairs: i and i + head / 2.
#pragma once

#include <torch/torch.h>

namespace atelier::families::layers {

struct RopeTable {
  torch::Tensor cosines;  // F32 [positions, head / 2]
  torch::Tensor sines;    // F32 [positions, head / 2]
};

// Angles p * base^(-2i / head); `head` is even.
RopeTable MakeRopeTable(int64_t positions, int64_t head, double base);

// heads: F32 [batch, positions, heads, head], the first at position `first` of the table. The same shape comes back.
torch::Tensor Rotate(const torch::Tensor& heads, const RopeTable& table, int64_t first = 0);

}  // namespace atelier::families::layers

// Scaled dot-product attention (Vaswani et al., arXiv:1706.03762), grouped heads (Ainslie et al., arXiv:2305.13245).
#pragma once

#include <torch/torch.h>

namespace atelier::families::layers {

// Which keys a query sees: those that all parts agree on. A query that sees none gets zeros.
struct AttentionMask {
  bool causal = false;       // query i of n sees keys up to i + keys - n
  torch::Tensor keys{};      // Bool [batch, keys]: false: padding; undefined: all are there
  torch::Tensor segments{};  // I64 [batch, positions]: a query sees its own segment; only where queries are the keys
};

// softmax(Q K^T / sqrt(head)) V, each group of heads / kv_heads queries with its key and value. In training each weight
// is dropped with the probability `dropout`.
//   queries: F32 [batch, queries, heads, head]; keys, values: F32 [batch, keys, kv_heads, head]
// Returns F32 [batch, queries, heads, head].
torch::Tensor Attend(const torch::Tensor& queries, const torch::Tensor& keys, const torch::Tensor& values,
                     const AttentionMask& mask, double dropout = 0);

// The same out of LibTorch's operations, which tests compare with.
torch::Tensor AttendPlainly(const torch::Tensor& queries, const torch::Tensor& keys, const torch::Tensor& values,
                            const AttentionMask& mask, double dropout = 0);

}  // namespace atelier::families::layers

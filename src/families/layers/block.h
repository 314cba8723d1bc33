// A transformer's attention with its projections, and a whole block, of decoders (GPT-2, Llama), encoders (BERT) and
// encoder-decoders.
#pragma once

#include <torch/torch.h>

#include "families/layers/attend.h"
#include "families/layers/feed_forward.h"
#include "families/layers/linear.h"
#include "families/layers/norm.h"
#include "families/layers/rope.h"

namespace atelier::families::layers {

struct AttentionOptions {
  int64_t width = 0;
  int64_t heads = 1;
  int64_t kv_heads = 1;  // divides heads
  int64_t head = 0;      // numbers of one head
  bool bias = false;     // of the projections
  double dropout = 0;    // of the weights, in training
};

// Keys and values of earlier positions, or of a memory: F32 [batch, positions, kv_heads, head].
struct KeyValues {
  torch::Tensor keys{};  // undefined: none yet
  torch::Tensor values{};
};

// Modules "query", "key", "value", "output".
class AttentionImpl : public torch::nn::Module {
 public:
  explicit AttentionImpl(const AttentionOptions& options);

  // Of positions among themselves. With a cache they are behind its positions, and are added to it. `rope` may be
  // nullptr. input: F32 [batch, positions, width].
  torch::Tensor Among(const torch::Tensor& input, const AttentionMask& mask, const RopeTable* rope = nullptr,
                      KeyValues* cache = nullptr);
  // Of positions to a memory [batch, memory, width]. With a cache the memory is looked at once.
  torch::Tensor Across(const torch::Tensor& input, const torch::Tensor& memory, const AttentionMask& mask,
                       KeyValues* cache = nullptr);

  Linear query{nullptr}, key{nullptr}, value{nullptr}, output{nullptr};

 private:
  torch::Tensor Heads(const torch::Tensor& projected, int64_t heads) const;
  torch::Tensor Finish(const torch::Tensor& queries, const KeyValues& seen, const AttentionMask& mask);

  AttentionOptions options_;
};
TORCH_MODULE(Attention);

struct BlockOptions {
  AttentionOptions attention{};
  FeedForwardKind feed_forward = FeedForwardKind::kSwiGlu;
  int64_t hidden = 0;
  bool feed_forward_bias = false;
  NormKind norm = NormKind::kRms;
  double norm_epsilon = 1e-5;
  bool norm_first = true;     // x + f(norm(x)), as GPT-2 and Llama; false: norm(x + f(x)), as BERT
  bool looks_across = false;  // attends to a memory between the two parts
  double dropout = 0;         // of what each part adds, in training
};

// Modules "attention_norm", "attention", "feed_forward_norm", "feed_forward"; with looks_across "cross_norm", "cross".
class BlockImpl : public torch::nn::Module {
 public:
  explicit BlockImpl(const BlockOptions& options);

  struct Memory {
    torch::Tensor states{};  // F32 [batch, memory, width]
    AttentionMask mask{};
    KeyValues* cache = nullptr;
  };
  // input: F32 [batch, positions, width], as is the result. `memory`: of looks_across.
  torch::Tensor Forward(const torch::Tensor& input, const AttentionMask& mask, const RopeTable* rope = nullptr,
                        KeyValues* cache = nullptr, const Memory* memory = nullptr);

  Norm attention_norm{nullptr}, cross_norm{nullptr}, feed_forward_norm{nullptr};
  Attention attention{nullptr}, cross{nullptr};
  FeedForward feed_forward{nullptr};

 private:
  template <class Part>
  torch::Tensor Add(const torch::Tensor& input, Norm& norm, const Part& part);

  BlockOptions options_;
};
TORCH_MODULE(Block);

}  // namespace atelier::families::layers

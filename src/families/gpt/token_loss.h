// The loss of a language model.
#pragma once

#include "families/gpt/blocks.h"
#include "families/gpt/network.h"

namespace atelier::families::gpt {

struct TokenLoss {
  torch::Tensor mean{};     // F32 [], of -log p(target) over the targets that count, with its graph
  torch::Tensor targets{};  // I64 [count], those targets
};

// `label_smoothing`: the share of the target that goes to all tokens alike (Szegedy et al., arXiv:1512.00567). At least
// one target counts.
TokenLoss LossOf(NetworkImpl& network, const BlockBatch& batch, bool bf16, double label_smoothing = 0);

// F32 [rows]: the sum of log p(target) over the targets of each row that count.
torch::Tensor LogProbabilities(NetworkImpl& network, const BlockBatch& batch, bool bf16);

}  // namespace atelier::families::gpt

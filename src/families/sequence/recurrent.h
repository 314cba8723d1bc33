// Recurrent layers over padded batches.
#pragma once

#include <torch/torch.h>

#include <string>

namespace atelier::families {

enum class Cell { kLstm, kGru, kRnn };
Cell CellFromName(const std::string& family);  // "lstm" | "gru" | "rnn"
int64_t GatesOf(Cell cell);                    // 4 | 3 | 1

// As LibTorch has them: gates in order i f g o; r z n; of the plain one tanh.
struct RecurrentWeights {
  torch::Tensor input{};       // [gates * hidden, in]
  torch::Tensor state{};       // [gates * hidden, hidden]
  torch::Tensor input_bias{};  // [gates * hidden]
  torch::Tensor state_bias{};  // [gates * hidden]
};

// x: F32 [steps, batch, in]; lengths: I64 [batch]. The states F32 [steps, batch, hidden], from a state of zero at the
// first step, or, where `backwards`, at the last step of each sequence. What they are behind a sequence's end is not
// said.
torch::Tensor Recur(Cell cell, const RecurrentWeights& weights, const torch::Tensor& x, const torch::Tensor& lengths,
                    bool backwards);

}  // namespace atelier::families

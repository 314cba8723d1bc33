// The networks of the sequence families, and batches for them.
//   lstm, gru, rnn: words through an embedding, or numbers, through stacked recurrent layers (S. Hochreiter,
//            J. Schmidhuber, 1997; K. Cho et al., arXiv:1406.1078), whose states are pooled over time or, for tags,
//            read at each token
//   textcnn: convolutions of several widths, their largest value over time (Y. Kim, arXiv:1408.5882)
//   textbag: the mean of the embeddings of words and n-grams (A. Joulin et al., arXiv:1607.01759)
// A forecast is the last value seen, plus what the recurrent layers say, plus a linear part over the steps seen (as
// G. Lai et al., arXiv:1703.07015): level and season come through without having to be learnt by the layers.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <span>
#include <vector>

#include "families/sequence/examples.h"
#include "families/sequence/recurrent.h"
#include "families/spec/sequence.h"

namespace atelier::families {

// What is behind a sequence's end is zero, and changes nothing of what is said of it.
struct SequenceBatch {
  torch::Tensor ids{};      // I64 [steps, batch, features]; of textbag I64 [total]
  torch::Tensor offsets{};  // textbag: I64 [batch], where each begins
  torch::Tensor values{};   // F32 [steps, batch, features]
  torch::Tensor lengths{};  // I64 [batch]
};

SequenceBatch MakeBatch(const SequenceConfig& config, std::span<const Sequence> sequences);

class SequenceNetwork final : public torch::nn::Module {
 public:
  // Weights drawn from `seed`.
  SequenceNetwork(SequenceConfig config, uint64_t seed);

  // F32 [batch, outputs]; of tags [steps, batch, outputs].
  torch::Tensor Forward(const SequenceBatch& batch);

  // Of a series. F32 [batch, context + 1], what the linear part reads; and its weights, F32 [outputs, context + 2], the
  // last column what it adds to every forecast.
  static torch::Tensor LinearInput(const SequenceBatch& batch);
  void StartLinear(const torch::Tensor& weights);

 private:
  void AddEmbedding();
  void AddRecurrent();
  void AddConvolutions();
  torch::Tensor Drop(const torch::Tensor& x, double share) const;
  torch::Tensor Embed(const SequenceBatch& batch) const;
  torch::Tensor Recur(torch::Tensor x, const torch::Tensor& lengths) const;
  torch::Tensor Pool(const torch::Tensor& states, const torch::Tensor& lengths) const;
  torch::Tensor Convolve(const torch::Tensor& x, const torch::Tensor& lengths);
  torch::Tensor Forecast(const SequenceBatch& batch);

  SequenceConfig config_;
  torch::Tensor embedding_;
  std::vector<std::vector<RecurrentWeights>> layers_;  // a direction or two each
  std::vector<torch::nn::Conv1d> convolutions_;
  torch::nn::Linear output_{nullptr};
  torch::nn::Linear linear_{nullptr};  // of a forecast: the steps seen
};

}  // namespace atelier::families

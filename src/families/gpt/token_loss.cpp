#include "families/gpt/token_loss.h"

#include "families/precision.h"

namespace atelier::families::gpt {
namespace {

struct Counted {
  torch::Tensor logits{};   // F32 [count, vocabulary]
  torch::Tensor targets{};  // I64 [count]
  torch::Tensor places{};   // I64 [count] in the batch; undefined: all, in order
};

// The logits of the positions whose targets count.
Counted Predict(NetworkImpl& network, const BlockBatch& batch, bool bf16) {
  const AutocastScope autocast(bf16);
  auto states = network.States(batch.inputs, {.causal = true, .segments = batch.segments}, batch.positions);
  states = states.reshape({-1, states.size(2)});
  Counted counted{.targets = batch.targets.reshape({-1})};
  const auto places = counted.targets.ne(kNotLearnt).nonzero().squeeze(1);
  if (places.size(0) < counted.targets.size(0)) {
    counted.places = places;
    states = states.index_select(0, places);
    counted.targets = counted.targets.index_select(0, places);
  }
  counted.logits = network.Logits(states).to(torch::kFloat32);
  return counted;
}

}  // namespace

TokenLoss LossOf(NetworkImpl& network, const BlockBatch& batch, bool bf16, double label_smoothing) {
  const Counted counted = Predict(network, batch, bf16);
  return {torch::nn::functional::cross_entropy(
              counted.logits, counted.targets,
              torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(label_smoothing)),
          counted.targets};
}

torch::Tensor LogProbabilities(NetworkImpl& network, const BlockBatch& batch, bool bf16) {
  const Counted counted = Predict(network, batch, bf16);
  const auto each = -torch::nn::functional::cross_entropy(
      counted.logits, counted.targets, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
  const int64_t length = batch.targets.size(1);
  const auto places = counted.places.defined() ? counted.places : torch::arange(each.size(0));
  return torch::zeros({batch.targets.size(0)}).index_add(0, places.div(length, "floor"), each);
}

}  // namespace atelier::families::gpt

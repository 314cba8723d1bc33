// The reference is LibTorch's own recurrent layers.
#include "families/sequence/recurrent.h"

#include <gtest/gtest.h>

#include <vector>

namespace atelier::families {
namespace {

RecurrentWeights Draw(Cell cell, int64_t in, int64_t hidden) {
  const int64_t width = GatesOf(cell) * hidden;
  RecurrentWeights weights{torch::randn({width, in}) * 0.5, torch::randn({width, hidden}) * 0.5, torch::randn({width}),
                           torch::randn({width})};
  for (auto* tensor : {&weights.input, &weights.state, &weights.input_bias, &weights.state_bias}) {
    tensor->set_requires_grad(true);
  }
  return weights;
}

// One sequence, [steps, in], as LibTorch computes it.
torch::Tensor Reference(Cell cell, const RecurrentWeights& weights, const torch::Tensor& x) {
  const std::vector<torch::Tensor> list{weights.input, weights.state, weights.input_bias, weights.state_bias};
  const auto input = x.unsqueeze(1);
  const auto zero = torch::zeros({1, 1, weights.state.size(1)});
  if (cell == Cell::kLstm) {
    return std::get<0>(torch::lstm(input, {zero, zero}, list, true, 1, 0.0, false, false, false)).squeeze(1);
  }
  return std::get<0>(cell == Cell::kGru ? torch::gru(input, zero, list, true, 1, 0.0, false, false, false)
                                        : torch::rnn_tanh(input, zero, list, true, 1, 0.0, false, false, false))
      .squeeze(1);
}

class RecurrentRuns : public ::testing::TestWithParam<std::tuple<Cell, bool>> {};

TEST_P(RecurrentRuns, StatesAndGradientsAreLibTorchs) {
  const auto [cell, backwards] = GetParam();
  torch::manual_seed(3);
  const std::vector<int64_t> lengths{7, 1, 4};
  const auto weights = Draw(cell, 5, 6);
  const auto x = torch::randn({7, 3, 5}).set_requires_grad(true);
  const auto upstream = torch::randn({7, 3, 6});

  const auto states = Recur(cell, weights, x, torch::tensor(lengths), backwards);
  torch::Tensor ours = torch::zeros({});
  torch::Tensor theirs = torch::zeros({});
  for (int64_t i = 0; i < 3; ++i) {
    const int64_t length = lengths[static_cast<size_t>(i)];
    auto own = x.select(1, i).narrow(0, 0, length);
    auto expected = Reference(cell, weights, backwards ? own.flip(0) : own);
    expected = backwards ? expected.flip(0) : expected;
    const auto got = states.select(1, i).narrow(0, 0, length);
    EXPECT_TRUE(torch::allclose(got, expected, 1e-5, 1e-6)) << i;
    const auto part = upstream.select(1, i).narrow(0, 0, length);
    ours = ours + (got * part).sum();
    theirs = theirs + (expected * part).sum();
  }
  const std::vector<torch::Tensor> inputs{x, weights.input, weights.state, weights.input_bias, weights.state_bias};
  const auto got = torch::autograd::grad({ours}, inputs);
  const auto expected = torch::autograd::grad({theirs}, inputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_TRUE(torch::allclose(got[i], expected[i], 1e-4, 1e-5)) << i;
    EXPECT_GT(got[i].abs().max().item<float>(), 0.01F) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentRuns,
                         ::testing::Combine(::testing::Values(Cell::kLstm, Cell::kGru, Cell::kRnn), ::testing::Bool()));

}  // namespace
}  // namespace atelier::families

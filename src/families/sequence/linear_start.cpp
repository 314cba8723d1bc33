#include "families/sequence/linear_start.h"

#include <limits>

namespace atelier::families {

void RidgeSums::Add(const torch::Tensor& x, const torch::Tensor& y) {
  const auto target = y.to(torch::kFloat64);
  const auto input = torch::cat({x.to(torch::kFloat64), torch::ones({x.size(0), 1}, torch::kFloat64)}, 1);
  const auto inputs = input.t().mm(input);
  const auto both = input.t().mm(target);
  inputs_ = inputs_.defined() ? inputs_ + inputs : inputs;
  both_ = both_.defined() ? both_ + both : both;
  squares_ += target.square().sum().item<double>();
  rows_ += static_cast<double>(x.size(0));
}

torch::Tensor RidgeSums::Solve() const {
  const auto [values, vectors] = torch::linalg_eigh(inputs_, "L");
  const auto spectrum = values.clamp_min(0).unsqueeze(1);
  const auto turned = vectors.t().mm(both_);
  torch::Tensor best;
  double lowest = std::numeric_limits<double>::infinity();
  for (double penalty = 1e-8; penalty < 20; penalty *= 10) {
    const auto scale = (spectrum + penalty * rows_).reciprocal();
    const auto weights = turned * scale;
    const double left = rows_ - (spectrum * scale).sum().item<double>();  // degrees of freedom
    const double error = squares_ + ((spectrum * weights - 2 * turned) * weights).sum().item<double>();
    if (const double score = error / (left * left); left > 0 && score < lowest) {
      lowest = score;
      best = weights;
    }
  }
  return best.defined() ? vectors.mm(best).t().to(torch::kFloat32) : torch::zeros_like(both_).t().to(torch::kFloat32);
}

}  // namespace atelier::families

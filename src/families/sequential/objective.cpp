#include "families/sequential/objective.h"

#include <algorithm>

namespace atelier::families {

namespace F = torch::nn::functional;

torch::Tensor Loss(const std::string& name, const torch::Tensor& outputs, const torch::Tensor& targets) {
  if (name == "sparse_cross_entropy") {
    return F::cross_entropy(outputs, targets);
  }
  const bool classes = targets.scalar_type() == torch::kInt64;
  const auto wanted = classes ? torch::one_hot(targets, outputs.size(1)).to(torch::kFloat32) : targets;
  if (name == "cross_entropy") {
    return F::cross_entropy(outputs, wanted);
  }
  return F::mse_loss(classes ? torch::softmax(outputs, 1) : outputs, wanted);
}

Sums SumsOf(double mean_loss, const torch::Tensor& outputs, const torch::Tensor& targets) {
  const int64_t rows = outputs.size(0);
  const int64_t width = outputs.size(1);
  const auto values = outputs.detach().contiguous();
  const auto* at = values.data_ptr<float>();
  Sums sums{.loss = mean_loss * static_cast<double>(rows), .weight = static_cast<double>(rows)};
  if (targets.scalar_type() == torch::kInt64) {
    const auto* truth = targets.data_ptr<int64_t>();
    for (int64_t i = 0; i < rows; ++i, at += width) {
      sums.score += std::max_element(at, at + width) - at == truth[i] ? 1 : 0;
    }
    return sums;
  }
  const auto* truth = targets.data_ptr<float>();
  for (int64_t i = 0; i < rows * width; ++i) {
    const double error = static_cast<double>(at[i]) - truth[i];
    sums.score += error * error;
  }
  return sums;
}

}  // namespace atelier::families

#include "families/translation/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "families/layers/rows.h"
#include "tensor/kernels/float_kernels.h"

namespace atelier::families {
namespace {

constexpr int64_t kRows = 128;  // whose logits exist at once

// Of one token.
struct RowLoss {
  double loss = 0;
  double plain = 0;
  bool right = false;
};

// Turns a row of logits into the gradient of its loss, (softmax - target distribution) * scale.
RowLoss TurnRow(float* row, int64_t count, int64_t target, double smoothing, float scale) {
  const double mean = layers::SumOf<float>(count, [&](int64_t i) { return row[i]; }) / static_cast<double>(count);
  const float at_target = row[target];
  const auto soft = tensor::BestFloatKernels().soften(row, static_cast<size_t>(count));
  const double log_sum = static_cast<double>(soft.largest) + std::log(static_cast<double>(soft.sum));
  const float share = scale / soft.sum;
  const auto even = static_cast<float>(smoothing / static_cast<double>(count)) * scale;
  for (int64_t i = 0; i < count; ++i) {
    row[i] = row[i] * share - even;
  }
  row[target] -= static_cast<float>(1 - smoothing) * scale;
  const double plain = log_sum - at_target;
  return {.loss = (1 - smoothing) * plain + smoothing * (log_sum - mean),
          .plain = plain,
          .right = at_target >= soft.largest};
}

struct Terms {
  double smoothing;
  bool gradients;                // are wanted
  std::vector<RowLoss>* losses;  // one a token
};

class LossFunction : public torch::autograd::Function<LossFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& states,
                               const torch::Tensor& weight, const torch::Tensor& targets, const Terms& terms) {
    const auto rows = states.contiguous();
    const auto ids = targets.contiguous();
    const int64_t count = rows.size(0);
    const float scale = 1 / static_cast<float>(count);
    auto state_gradient = terms.gradients ? torch::empty_like(rows) : torch::Tensor();
    auto weight_gradient = terms.gradients ? torch::zeros_like(weight) : torch::Tensor();
    const auto turned = weight.t();
    auto logits = torch::empty({std::min(kRows, count), weight.size(0)}, rows.options());
    const auto* target = ids.data_ptr<int64_t>();
    for (int64_t first = 0; first < count; first += kRows) {
      const int64_t some = std::min(kRows, count - first);
      auto part = logits.narrow(0, 0, some);
      const auto inputs = rows.narrow(0, first, some);
      torch::mm_out(part, inputs, turned);
      auto* values = part.data_ptr<float>();
      at::parallel_for(0, some, 8, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          (*terms.losses)[static_cast<size_t>(first + i)] =
              TurnRow(values + i * weight.size(0), weight.size(0), target[first + i], terms.smoothing, scale);
        }
      });
      if (terms.gradients) {
        auto out = state_gradient.narrow(0, first, some);
        torch::mm_out(out, part, weight);
        weight_gradient.addmm_(part.t(), inputs);
      }
    }
    context->save_for_backward({state_gradient, weight_gradient});
    double loss = 0;
    for (const auto& row : *terms.losses) {
      loss += row.loss;
    }
    return torch::full({}, loss / static_cast<double>(count), rows.options());
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    return {saved[0] * gradients[0], saved[1] * gradients[0], torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

TokenLoss SmoothedCrossEntropy(const torch::Tensor& states, const torch::Tensor& weight, const torch::Tensor& targets,
                               double smoothing) {
  std::vector<RowLoss> losses(static_cast<size_t>(targets.numel()));
  TokenLoss out;
  out.loss = LossFunction::apply(states.to(torch::kFloat32), weight, targets,
                                 Terms{smoothing, torch::GradMode::is_enabled(), &losses});
  for (const auto& row : losses) {
    out.plain += row.plain / static_cast<double>(losses.size());
    out.right += row.right ? 1 : 0;
  }
  return out;
}

}  // namespace atelier::families

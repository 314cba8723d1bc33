#include "learning/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "families/layers/rows.h"

namespace atelier::learning {
namespace {

constexpr float kEpsilon = 1e-8F;
constexpr int64_t kPiece = 8192;  // numbers; a sum is made of each, whatever the number of threads

// body(begin, end) of numbers, shared out among LibTorch's threads.
template <class Body>
void ForPieces(int64_t count, const Body& body) {
  families::layers::ForRows((count + kPiece - 1) / kPiece, kPiece,
                            [&](int64_t piece) { body(piece * kPiece, std::min(count, (piece + 1) * kPiece)); });
}

double SumOfSquares(const float* numbers, int64_t count) {
  return families::layers::SumOf<double>(count, [&](int64_t i) {
    const double number = numbers[i];
    return number * number;
  });
}

struct AdamStep {
  float beta1;
  float beta2;
  float size;        // lr / (1 - b1^t)
  float correction;  // 1 / sqrt(1 - b2^t)
  float decay;       // lr * weight_decay
  float scale;       // of the gradient, by clipping
};

struct AdamData {
  float* __restrict weight;
  float* __restrict m;
  float* __restrict v;
  const float* __restrict gradient;
};

void StepAdam(const AdamData& data, int64_t begin, int64_t end, const AdamStep& step) {
  for (int64_t i = begin; i < end; ++i) {
    const float g = data.gradient[i] * step.scale;
    const float m = step.beta1 * data.m[i] + (1 - step.beta1) * g;
    const float v = step.beta2 * data.v[i] + (1 - step.beta2) * g * g;
    data.m[i] = m;
    data.v[i] = v;
    data.weight[i] -= step.size * m / (std::sqrt(v) * step.correction + kEpsilon) + step.decay * data.weight[i];
  }
}

bool IsWeight(const torch::Tensor& parameter) { return parameter.dim() >= 2; }  // biases and batch norm have one

}  // namespace

Optimizer::Optimizer(const torch::nn::Module& network, const TrainSettings& settings)
    : adam_(settings.optimizer != "sgd"),
      beta1_(static_cast<float>(settings.beta1)),
      beta2_(static_cast<float>(settings.beta2)),
      momentum_(static_cast<float>(settings.momentum)),
      weight_decay_(static_cast<float>(settings.weight_decay)),
      l1_(static_cast<float>(settings.l1)),
      l2_(static_cast<float>(settings.l2)),
      clip_(settings.gradient_clip) {
  for (const auto& item : network.named_parameters()) {
    if (!item.value().requires_grad()) {
      continue;
    }
    Slot slot{
        .name = item.key(), .parameter = item.value(), .first = {}, .second = {}, .penalised = IsWeight(item.value())};
    if (adam_ || momentum_ > 0) {
      slot.first = torch::zeros(item.value().sizes(), torch::kFloat32);
    }
    if (adam_) {
      slot.second = torch::zeros(item.value().sizes(), torch::kFloat32);
    }
    slots_.push_back(std::move(slot));
  }
}

void Optimizer::AddPenalties(const Slot& slot, float* gradient) const {
  if (!slot.penalised || (l1_ == 0 && l2_ == 0)) {
    return;
  }
  const auto* weight = slot.parameter.data_ptr<float>();
  for (int64_t i = 0; i < slot.parameter.numel(); ++i) {
    const float sign = weight[i] > 0 ? 1.0F : (weight[i] < 0 ? -1.0F : 0.0F);
    gradient[i] += l1_ * sign + 2 * l2_ * weight[i];
  }
}

double Optimizer::ClipScale(const std::vector<torch::Tensor>& gradients, double& norm) const {
  if (clip_ <= 0) {
    return 1;
  }
  double squares = 0;
  for (const auto& gradient : gradients) {
    const auto* g = gradient.data_ptr<float>();
    const int64_t count = gradient.numel();
    std::vector<double> sums(static_cast<size_t>((count + kPiece - 1) / kPiece));
    ForPieces(count, [&](int64_t begin, int64_t end) {
      sums[static_cast<size_t>(begin / kPiece)] = SumOfSquares(g + begin, end - begin);
    });
    squares = std::accumulate(sums.begin(), sums.end(), squares);
  }
  norm = std::sqrt(squares);
  return norm > clip_ ? clip_ / norm : 1;
}

double Optimizer::Step(double learning_rate, int64_t step) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> gradients;
  for (auto& slot : slots_) {
    auto& gradient = slot.parameter.mutable_grad();
    gradients.push_back(gradient.defined() ? gradient.contiguous() : torch::zeros_like(slot.parameter));
    gradient = torch::Tensor();
    AddPenalties(slot, gradients.back().data_ptr<float>());
  }
  double norm = 0;
  const auto scale = static_cast<float>(ClipScale(gradients, norm));
  const auto rate = static_cast<float>(learning_rate);
  const float decay_rate = rate * weight_decay_;
  const auto times = static_cast<double>(step);
  const AdamStep adam{.beta1 = beta1_,
                      .beta2 = beta2_,
                      .size = static_cast<float>(learning_rate / (1 - std::pow(beta1_, times))),
                      .correction = static_cast<float>(1 / std::sqrt(1 - std::pow(beta2_, times))),
                      .decay = 0,
                      .scale = scale};
  for (size_t s = 0; s < slots_.size(); ++s) {
    auto& slot = slots_[s];
    auto* weight = slot.parameter.data_ptr<float>();
    const auto* gradient = gradients[s].data_ptr<float>();
    const int64_t count = slot.parameter.numel();
    const float decay = slot.penalised ? decay_rate : 0;
    if (adam_) {
      AdamStep own = adam;
      own.decay = decay;
      const AdamData data{weight, slot.first.data_ptr<float>(), slot.second.data_ptr<float>(), gradient};
      ForPieces(count, [&](int64_t begin, int64_t end) { StepAdam(data, begin, end, own); });
      continue;
    }
    auto* velocity = slot.first.defined() ? slot.first.data_ptr<float>() : nullptr;
    ForPieces(count, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        float update = gradient[i] * scale;
        if (velocity != nullptr) {
          velocity[i] = momentum_ * velocity[i] + update;
          update = velocity[i];
        }
        weight[i] -= rate * update + decay * weight[i];
      }
    });
  }
  return norm;
}

std::map<std::string, torch::Tensor> Optimizer::State() const {
  std::map<std::string, torch::Tensor> state;
  for (const auto& slot : slots_) {
    if (slot.first.defined()) {
      state["m." + slot.name] = slot.first;
    }
    if (slot.second.defined()) {
      state["v." + slot.name] = slot.second;
    }
  }
  return state;
}

Status Optimizer::SetState(const std::map<std::string, torch::Tensor>& state) {
  for (auto& [name, tensor] : State()) {
    const auto found = state.find(name);
    if (found == state.end() || found->second.sizes() != tensor.sizes()) {
      return DataLoss("the checkpoint has no fitting tensor '" + name + "'");
    }
  }
  for (auto& [name, tensor] : State()) {
    auto target = tensor;
    target.copy_(state.at(name));
  }
  return {};
}

}  // namespace atelier::learning

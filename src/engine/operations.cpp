#include "engine/operations.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/kernels/float_kernels.h"

namespace atelier::engine {
namespace {

float Apply(Activation activation, float x) {
  if (activation == Activation::kRelu) {
    return x > 0 ? x : 0.0F;
  }
  constexpr float kScale = std::numbers::sqrt2_v<float> * std::numbers::inv_sqrtpi_v<float>;  // sqrt(2 / pi)
  return 0.5F * x * (1.0F + std::tanh(kScale * x * (1.0F + 0.044715F * x * x)));
}

}  // namespace

void Normalise(const Norm& norm, std::span<const float> from, float* to) {
  const auto count = static_cast<double>(from.size());
  double mean = 0;
  if (norm.kind == NormKind::kLayer) {
    for (const float x : from) {
      mean += x;
    }
    mean /= count;
  }
  double squares = 0;
  for (const float x : from) {
    squares += (x - mean) * (x - mean);
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(squares / count + norm.epsilon));
  const auto shift = static_cast<float>(mean);
  for (size_t i = 0; i < from.size(); ++i) {
    const float normal = (from[i] - shift) * scale * norm.weight[i];
    to[i] = norm.bias.empty() ? normal : normal + norm.bias[i];
  }
}

void Activate(Activation activation, std::span<float> values) {
  if (activation == Activation::kSilu) {
    tensor::BestFloatKernels().silu(values.data(), values.size());
    return;
  }
  for (float& value : values) {
    value = Apply(activation, value);
  }
}

void ActivateGate(Activation activation, std::span<float> gate, const float* up) {
  Activate(activation, gate);
  for (size_t i = 0; i < gate.size(); ++i) {
    gate[i] *= up[i];
  }
}

void Add(std::span<float> to, const float* from) {
  for (size_t i = 0; i < to.size(); ++i) {
    to[i] += from[i];
  }
}

void SoftCap(double cap, std::span<float> values) {
  const auto limit = static_cast<float>(cap);
  for (float& value : values) {
    value = limit * std::tanh(value / limit);
  }
}

float ExponentialsOf(std::span<float> values) {
  const float largest = *std::ranges::max_element(values);
  tensor::BestFloatKernels().exponentials(values.data(), largest, values.size());
  double sum = 0;
  for (const float value : values) {
    sum += value;
  }
  return static_cast<float>(sum);
}

void SoftMax(std::span<float> values) {
  const float sum = ExponentialsOf(values);
  for (float& value : values) {
    value /= sum;
  }
}

}  // namespace atelier::engine

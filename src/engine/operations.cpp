#include "engine/operations.h"

#include <algorithm>

namespace atelier::engine {

void Activate(const tensor::FloatKernels& kernels, Activation activation, std::span<float> values, const float* up) {
  switch (activation) {
    case Activation::kSilu:
      return kernels.silu(values.data(), up, values.size());
    case Activation::kGelu:
      return kernels.gelu(values.data(), up, values.size());
    case Activation::kRelu:
      return kernels.relu(values.data(), up, values.size());
  }
}

void Add(const tensor::FloatKernels& kernels, std::span<float> to, const float* from) {
  kernels.mix(to.data(), 1, from, 1, to.size());
}

void SoftMax(const tensor::FloatKernels& kernels, std::span<float> values) {
  const float sum = kernels.soften(values.data(), values.size()).sum;
  std::ranges::transform(values, values.begin(), [&](float value) { return value / sum; });
}

}  // namespace atelier::engine

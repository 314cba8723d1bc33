#include "families/layers/linear.h"

#include <cmath>

#include "families/layers/dropout.h"
#include "families/layers/quantised.h"

namespace atelier::families::layers {

LinearImpl::LinearImpl(int64_t inputs, int64_t outputs, bool with_bias) : inputs_(inputs) {
  weight = register_parameter("weight", torch::randn({outputs, inputs}) * 0.02);
  if (with_bias) {
    bias = register_parameter("bias", torch::zeros({outputs}));
  }
}

torch::Tensor LinearImpl::forward(const torch::Tensor& input) {
  auto output = packed_.defined() ? QuantisedLinear(input, packed_) : torch::linear(input, weight, bias);
  if (packed_.defined() && bias.defined()) {
    output = output + bias;
  }
  if (!lora_) {
    return output;
  }
  const auto dropped = Dropout(input, lora_->dropout, is_training());
  const auto low = torch::linear(dropped, lora_a);
  return output + torch::linear(low, lora_b) * (lora_->alpha / static_cast<double>(lora_->rank));
}

void LinearImpl::AddLora(const LoraOptions& options) {
  lora_ = options;
  if (weight.defined()) {
    weight.set_requires_grad(false);
  }
  if (bias.defined()) {
    bias.set_requires_grad(false);
  }
  const int64_t outputs = weight.defined() ? weight.size(0) : packed_.size(0);
  const double bound = 1 / std::sqrt(static_cast<double>(inputs_));  // Kaiming's uniform with a = sqrt(5)
  lora_a = register_parameter("lora_a", (torch::rand({options.rank, inputs_}) * 2 - 1) * bound);
  lora_b = register_parameter("lora_b", torch::zeros({outputs, options.rank}));
}

void LinearImpl::Quantise() {
  if (!weight.defined() || !CanQuantise(inputs_)) {
    return;
  }
  packed_ = register_buffer("packed", QuantiseWeight(weight));
  parameters_.erase("weight");
  weight = torch::Tensor();
}

}  // namespace atelier::families::layers

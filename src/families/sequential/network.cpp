#include "families/sequential/network.h"

#include "families/sequential/relu_pool.h"

namespace atelier::families {
namespace {

namespace nn = torch::nn;

void PushActivation(nn::Sequential& layers, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      layers->push_back(nn::Identity());
      break;
    case Activation::kRelu:
      layers->push_back(nn::ReLU());
      break;
    case Activation::kLeakyRelu:
      layers->push_back(nn::LeakyReLU());
      break;
    case Activation::kElu:
      layers->push_back(nn::ELU());
      break;
    case Activation::kGelu:
      layers->push_back(nn::GELU());
      break;
    case Activation::kSilu:
      layers->push_back(nn::SiLU());
      break;
    case Activation::kTanh:
      layers->push_back(nn::Tanh());
      break;
    case Activation::kSigmoid:
      layers->push_back(nn::Sigmoid());
      break;
  }
}

void PushPool(nn::Sequential& layers, const Layer& layer) {
  if (layer.average) {
    layers->push_back(nn::AvgPool2d(nn::AvgPool2dOptions(layer.kernel).stride(layer.stride)));
  } else {
    layers->push_back(nn::MaxPool2d(nn::MaxPool2dOptions(layer.kernel).stride(layer.stride)));
  }
}

void PushLayer(nn::Sequential& layers, const PlannedLayer& planned) {
  const Layer& layer = planned.layer;
  switch (layer.kind) {
    case LayerKind::kDense:
      layers->push_back(nn::Linear(planned.input[0], layer.units));
      break;
    case LayerKind::kConv:
      layers->push_back(nn::Conv2d(
          nn::Conv2dOptions(planned.input[0], layer.units, layer.kernel).stride(layer.stride).padding(layer.padding)));
      break;
    case LayerKind::kPool:
      PushPool(layers, layer);
      break;
    case LayerKind::kBatchNorm:
      if (planned.input.size() == 3) {
        layers->push_back(nn::BatchNorm2d(planned.input[0]));
      } else {
        layers->push_back(nn::BatchNorm1d(planned.input[0]));
      }
      break;
    case LayerKind::kDropout:
      layers->push_back(nn::Dropout(nn::DropoutOptions(layer.rate)));
      break;
    case LayerKind::kActivation:
      PushActivation(layers, layer.activation);
      break;
    case LayerKind::kFlatten:
      layers->push_back(nn::Flatten());
      break;
  }
}

bool IsPlainPool(const Layer& layer) {
  return layer.kind == LayerKind::kPool && !layer.average && layer.kernel == 2 && layer.stride == 2;
}

// Convolutions are faster in this layout. With one channel both layouts have the same bytes, and LibTorch only looks at
// the strides to tell them apart.
torch::Tensor ChannelsLast(const torch::Tensor& input) {
  if (input.dim() == 4 && input.size(1) == 1 && input.is_contiguous()) {
    const int64_t width = input.size(3);
    return input.as_strided(input.sizes(), {input.size(2) * width, 1, width, 1});
  }
  return input.contiguous(torch::MemoryFormat::ChannelsLast);
}

}  // namespace

Network::Network(const Plan& plan) {
  nn::Sequential layers;
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const Layer& layer = plan.layers[i].layer;
    PushLayer(layers, plan.layers[i]);
    convolves_ = convolves_ || layer.kind == LayerKind::kConv;
    const bool relu = layer.kind == LayerKind::kActivation && layer.activation == Activation::kRelu;
    starts_relu_pool_.push_back(relu && i + 1 < plan.layers.size() && IsPlainPool(plan.layers[i + 1].layer));
  }
  layers_ = register_module("layers", layers);
}

torch::Tensor Network::Forward(const torch::Tensor& input) {
  torch::Tensor value = convolves_ ? ChannelsLast(input) : input;
  size_t index = 0;
  for (auto layer = layers_->begin(); layer != layers_->end(); ++layer, ++index) {
    if (starts_relu_pool_[index] && value.scalar_type() == torch::kFloat32) {
      value = ReluMaxPool2(value);
      ++layer;
      ++index;
    } else {
      value = layer->forward(value);
    }
  }
  return value;
}

Result<std::unique_ptr<Network>> BuildNetwork(const ModelConfig& config, uint64_t seed) {
  ATELIER_ASSIGN(plan, MakePlan(config));
  std::unique_ptr<Network> network;
  ATELIER_TRY(CatchTorch([&]() -> Status {
    torch::manual_seed(seed);
    network = std::make_unique<Network>(plan);
    return {};
  }));
  return network;
}

}  // namespace atelier::families

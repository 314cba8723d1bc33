#include "families/sequential/network.h"

#include <algorithm>
#include <array>
#include <new>

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

Error BadFile(const std::string& what) { return InvalidArgument(what, "", "invalid_model_file"); }

struct TypeRow {
  torch::ScalarType torch_type;
  tensor::DataType type;
};
constexpr std::array<TypeRow, 4> kTypes{{{torch::kFloat32, tensor::DataType::kF32},
                                         {torch::kFloat64, tensor::DataType::kF64},
                                         {torch::kInt64, tensor::DataType::kI64},
                                         {torch::kUInt8, tensor::DataType::kU8}}};

}  // namespace

Network::Network(const Plan& plan) {
  nn::Sequential layers;
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const Layer& layer = plan.layers[i].layer;
    PushLayer(layers, plan.layers[i]);
    has_dropout_ = has_dropout_ || (layer.kind == LayerKind::kDropout && layer.rate > 0);
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

Status CatchTorch(const std::function<Status()>& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return MakeError(Code::kResourceExhausted, "there is not enough memory for this network and batch",
                     "out_of_memory");
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    if (text.find("alloc") != std::string::npos && text.find("memory") != std::string::npos) {
      return MakeError(Code::kResourceExhausted, "there is not enough memory for this network and batch",
                       "out_of_memory");
    }
    return Internal("LibTorch: " + text.substr(0, 2000));
  } catch (const std::exception& error) {
    return Internal(std::string("LibTorch: ") + error.what());
  }
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

std::map<std::string, torch::Tensor> StateOf(const Network& network) {
  std::map<std::string, torch::Tensor> state;
  for (const auto& item : network.named_parameters()) {
    state[item.key()] = item.value().detach().contiguous();
  }
  for (const auto& item : network.named_buffers()) {
    state[item.key()] = item.value().detach().contiguous();
  }
  return state;
}

Status SetState(Network& network, const std::map<std::string, torch::Tensor>& state) {
  return CatchTorch([&]() -> Status {
    torch::NoGradGuard no_grad;
    const auto own = StateOf(network);
    for (const auto& [name, tensor] : own) {
      const auto found = state.find(name);
      if (found == state.end()) {
        return BadFile("the weights have no tensor '" + name + "'");
      }
      if (found->second.sizes() != tensor.sizes() || found->second.scalar_type() != tensor.scalar_type()) {
        return BadFile("the tensor '" + name + "' has another shape or type than config.json says");
      }
      if (tensor.is_floating_point() && !torch::isfinite(found->second).all().item<bool>()) {
        return BadFile("the tensor '" + name + "' holds a number that is not finite");
      }
    }
    if (state.size() != own.size()) {
      return BadFile("the weights hold " + std::to_string(state.size()) + " tensors, the network has " +
                     std::to_string(own.size()));
    }
    for (auto& item : network.named_parameters()) {
      item.value().detach().copy_(state.at(item.key()));
    }
    for (auto& item : network.named_buffers()) {
      item.value().detach().copy_(state.at(item.key()));
    }
    return {};
  });
}

Result<std::map<std::string, tensor::View>> ViewsOf(const std::map<std::string, torch::Tensor>& tensors) {
  std::map<std::string, tensor::View> views;
  for (const auto& [name, tensor] : tensors) {
    const auto* row = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const TypeRow& r) { return r.torch_type == tensor.scalar_type(); });
    if (row == kTypes.end() || !tensor.is_contiguous()) {
      return Internal("the tensor '" + name + "' cannot be written");
    }
    views[name] = {row->type,
                   tensor.sizes().vec(),
                   {static_cast<const std::byte*>(tensor.data_ptr()), static_cast<size_t>(tensor.nbytes())}};
  }
  return views;
}

Result<torch::Tensor> TensorFrom(const tensor::View& view) {
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& r) { return r.type == view.type; });
  if (row == kTypes.end()) {
    return BadFile("the type " + std::string(tensor::Name(view.type)) + " is not one of F32, F64, I64, U8");
  }
  torch::Tensor tensor;
  ATELIER_TRY(CatchTorch([&]() -> Status {
    tensor = torch::empty(view.shape, torch::dtype(row->torch_type));
    if (tensor.nbytes() != view.bytes.size()) {
      return BadFile("a tensor's bytes do not fit its shape");
    }
    std::copy(view.bytes.begin(), view.bytes.end(), static_cast<std::byte*>(tensor.data_ptr()));
    return {};
  }));
  return tensor;
}

Status WriteWeights(const Network& network, const std::function<Status(std::span<const std::byte>)>& sink) {
  const auto state = StateOf(network);
  ATELIER_ASSIGN(views, ViewsOf(state));
  return tensor::WriteSafetensors(views, {{"format", "pt"}}, sink);
}

Status LoadWeights(Network& network, const std::filesystem::path& file) {
  ATELIER_ASSIGN(opened, tensor::SafetensorsFile::Open(file));
  std::map<std::string, torch::Tensor> state;
  for (const auto& [name, view] : opened->tensors()) {
    ATELIER_ASSIGN(tensor, TensorFrom(view));
    state[name] = tensor;
  }
  return SetState(network, state);
}

}  // namespace atelier::families

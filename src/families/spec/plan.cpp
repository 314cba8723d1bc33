#include "families/spec/plan.h"

namespace atelier::families {
namespace {

int64_t Elements(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size <= 0 || count > kMaxActivations / size) {
      return kMaxActivations + 1;
    }
    count *= size;
  }
  return count;
}

class Planner {
 public:
  Planner(size_t index, const Layer& layer, const std::vector<int64_t>& input)
      : param_("layers[" + std::to_string(index) + "]"), layer_(layer), input_(input) {}

  Result<PlannedLayer> Make() const {
    PlannedLayer planned{.layer = layer_, .input = input_, .output = input_};
    switch (layer_.kind) {
      case LayerKind::kDense:
        ATELIER_TRY(Dense(planned));
        break;
      case LayerKind::kConv:
        ATELIER_TRY(Window(planned, layer_.units));
        planned.parameters = layer_.units * (input_[0] * layer_.kernel * layer_.kernel + 1);
        break;
      case LayerKind::kPool:
        ATELIER_TRY(Window(planned, input_.empty() ? 0 : input_[0]));
        break;
      case LayerKind::kBatchNorm:
        planned.parameters = 2 * input_[0];
        break;
      case LayerKind::kFlatten:
        planned.output = {Elements(input_)};
        break;
      default:
        break;
    }
    if (Elements(planned.output) > kMaxActivations) {
      return Wrong("its output " + ShapeText(planned.output) + " is too large");
    }
    return planned;
  }

 private:
  Error Wrong(const std::string& what) const { return InvalidArgument("'" + param_ + "': " + what, param_); }

  Status Dense(PlannedLayer& planned) const {
    if (input_.size() != 1) {
      return Wrong("a dense layer needs a flat input, not " + ShapeText(input_) + "; put \"flatten\" before it");
    }
    planned.output = {layer_.units};
    planned.parameters = layer_.units * (input_[0] + 1);
    return {};
  }

  Status Window(PlannedLayer& planned, int64_t channels) const {
    if (input_.size() != 3) {
      return Wrong("convolution and pooling need a picture [channels, height, width], not " + ShapeText(input_));
    }
    planned.output = {channels};
    for (size_t i = 1; i < 3; ++i) {
      const int64_t padded = input_[i] + 2 * layer_.padding;
      if (layer_.kernel > padded) {
        return Wrong("its window of " + std::to_string(layer_.kernel) + " is larger than its input " +
                     ShapeText(input_));
      }
      planned.output.push_back((padded - layer_.kernel) / layer_.stride + 1);
    }
    return {};
  }

  std::string param_;
  const Layer& layer_;
  const std::vector<int64_t>& input_;
};

}  // namespace

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

std::vector<Layer> CompleteLayers(const std::vector<Layer>& hidden, const HiddenDefaults& defaults,
                                  const std::vector<int64_t>& input_shape, int64_t outputs) {
  std::vector<Layer> layers;
  bool flat = input_shape.size() == 1;
  const auto add_flatten = [&] {
    if (!flat) {
      layers.push_back({.kind = LayerKind::kFlatten});
      flat = true;
    }
  };
  const auto kind_at = [&](size_t i) { return i < hidden.size() ? hidden[i].kind : LayerKind::kDense; };
  for (size_t i = 0; i < hidden.size(); ++i) {
    const Layer& layer = hidden[i];
    if (layer.kind == LayerKind::kDense) {
      add_flatten();
    }
    flat = flat || layer.kind == LayerKind::kFlatten;
    layers.push_back(layer);
    const bool weighted = layer.kind == LayerKind::kDense || layer.kind == LayerKind::kConv;
    const bool normalised = layer.kind == LayerKind::kBatchNorm && i > 0 &&
                            (kind_at(i - 1) == LayerKind::kDense || kind_at(i - 1) == LayerKind::kConv);
    if (weighted && kind_at(i + 1) == LayerKind::kBatchNorm) {
      continue;  // the activation comes after the normalisation
    }
    if (weighted && defaults.batch_norm) {
      layers.push_back({.kind = LayerKind::kBatchNorm});
    }
    if ((weighted || normalised) && kind_at(i + 1) != LayerKind::kActivation) {
      if (defaults.activation != Activation::kNone) {
        layers.push_back({.kind = LayerKind::kActivation, .activation = defaults.activation});
      }
    }
    const bool dense = layer.kind == LayerKind::kDense || (normalised && kind_at(i - 1) == LayerKind::kDense);
    if (dense && defaults.dropout > 0 && kind_at(i + 1) != LayerKind::kDropout &&
        kind_at(i + 1) != LayerKind::kActivation) {
      layers.push_back({.kind = LayerKind::kDropout, .rate = defaults.dropout});
    }
  }
  add_flatten();
  layers.push_back({.kind = LayerKind::kDense, .units = outputs});
  return layers;
}

Result<Plan> MakePlan(const std::vector<Layer>& layers, const std::vector<int64_t>& input_shape) {
  if (layers.empty() || layers.size() > static_cast<size_t>(2 * kMaxLayers)) {
    return InvalidArgument("the network must have 1 to " + std::to_string(2 * kMaxLayers) + " layers", "layers");
  }
  if ((input_shape.size() != 1 && input_shape.size() != 3) || Elements(input_shape) > kMaxActivations) {
    return InvalidArgument("the input shape " + ShapeText(input_shape) +
                               " must be [features] or [channels, height, width], and not too large",
                           "layers");
  }
  Plan plan;
  std::vector<int64_t> shape = input_shape;
  for (size_t i = 0; i < layers.size(); ++i) {
    ATELIER_ASSIGN(planned, Planner(i, layers[i], shape).Make());
    shape = planned.output;
    plan.parameters += planned.parameters;
    if (plan.parameters > kMaxParameters) {
      return InvalidArgument("the network has more than 2^31 parameters at 'layers[" + std::to_string(i) + "]'",
                             "layers");
    }
    plan.layers.push_back(std::move(planned));
  }
  return plan;
}

}  // namespace atelier::families

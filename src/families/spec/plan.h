// From the layers that a person wrote to the whole network: activations and the output layer added, every shape known.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "families/spec/layers.h"

namespace atelier::families {

// What to add after each hidden dense and convolution layer that does not say it itself.
struct HiddenDefaults {
  Activation activation = Activation::kRelu;
  double dropout = 0;       // after the activation of hidden dense layers
  bool batch_norm = false;  // between the layer and its activation
};

struct PlannedLayer {
  Layer layer{};
  std::vector<int64_t> input{};  // shape of one instance: [features] or [channels, height, width]
  std::vector<int64_t> output{};
  int64_t parameters = 0;
};

struct Plan {
  std::vector<PlannedLayer> layers;
  int64_t parameters = 0;
};

// Adds what the defaults say, `flatten` before the first dense layer of a picture, and the output layer of `outputs`
// units without activation.
std::vector<Layer> CompleteLayers(const std::vector<Layer>& hidden, const HiddenDefaults& defaults,
                                  const std::vector<int64_t>& input_shape, int64_t outputs);

// Follows the shapes through complete layers. Errors: kInvalidArgument naming `layers[i]`, where a kernel is larger
// than its map, a map vanishes, a layer does not fit its input, or the network has too many layers, parameters or
// activations.
Result<Plan> MakePlan(const std::vector<Layer>& layers, const std::vector<int64_t>& input_shape);

// "28x28x1"-like text for messages: "[1, 28, 28]".
std::string ShapeText(const std::vector<int64_t>& shape);

}  // namespace atelier::families

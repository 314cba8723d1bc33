// Models of one chain of layers (mlp, cnn) that answer.
#pragma once

#include <vector>

#include "families/model.h"
#include "families/predictor.h"

namespace atelier::families {

Signature MakeSignature(const ModelConfig& config, const Preprocessor& preprocessor);

// One instance: the raw values of preprocessor.h, not yet scaled.
struct PreparedValues final : PreparedInstance {
  explicit PreparedValues(std::vector<float> raw) : values(std::move(raw)) {}
  std::vector<float> values;
};

// A picture model takes an encoded picture, or a tensor of raw pixel values 0..255 as they are in the data set (the
// model scales them itself) of shape [channels, height, width], or flat, or [height, width] where it has one channel. A
// table model takes a record of exactly its fields, or, where all of them are numbers, a tensor of all values in order.
// Classification answers a probability a label (softmax of the logits), regression the value in the target's unit.
Result<std::unique_ptr<Predictor>> OpenChain(const ModelFiles& files, int threads);

}  // namespace atelier::families

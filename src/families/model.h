// A trained model of one chain of layers: its network and its preprocessing, as files of a model version.
#pragma once

#include <memory>

#include "base/result.h"
#include "families/learner.h"
#include "families/preprocess/preprocessor.h"
#include "families/sequential/network.h"
#include "families/spec/model_config.h"

namespace atelier::families {

struct Model {
  ModelConfig config;
  Preprocessor preprocessor;
  std::unique_ptr<Network> network;  // in evaluation mode
};

// Errors: kNotFound, kInvalidArgument "invalid_model_file". Nothing in a model is ever run: all of it is data.
Result<Model> LoadModel(const ModelFiles& files);

}  // namespace atelier::families

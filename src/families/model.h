// A trained model: its network and its preprocessing, as files of a model version.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "families/preprocess/preprocessor.h"
#include "families/sequential/network.h"
#include "families/spec/model_config.h"

namespace atelier::families {

inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kPreprocessorFile = "preprocessor_config.json";
inline constexpr const char* kMetadataFile = "atelier.json";

struct Model {
  ModelConfig config;
  Preprocessor preprocessor;
  std::unique_ptr<Network> network;  // in evaluation mode
};

// The three files that define a model; they may lie anywhere (a blob store names them by content).
struct ModelFiles {
  std::filesystem::path config;
  std::filesystem::path weights;
  std::filesystem::path preprocessor;
};

ModelFiles FilesIn(const std::filesystem::path& folder);

// Errors: kNotFound, kInvalidArgument "invalid_model_file". Nothing in a model is ever run: all of it is data.
Result<Model> LoadModel(const ModelFiles& files);

}  // namespace atelier::families

#include "families/model.h"

#include "base/json.h"

namespace atelier::families {

Result<Model> LoadModel(const ModelFiles& files) {
  Model model;
  ATELIER_ASSIGN(config_json, JsonFile(files, kConfigFile));
  ATELIER_ASSIGN(config, ModelConfigFromJson(config_json));
  model.config = std::move(config);
  ATELIER_ASSIGN(preprocessor_json, JsonFile(files, kPreprocessorFile));
  ATELIER_ASSIGN(preprocessor, PreprocessorFromJson(preprocessor_json, model.config));
  model.preprocessor = std::move(preprocessor);
  ATELIER_ASSIGN(network, BuildNetwork(model.config, 0));
  ATELIER_ASSIGN(weights, FileOf(files, kWeightsFile));
  ATELIER_TRY(LoadWeights(*network, weights));
  network->eval();
  model.network = std::move(network);
  return model;
}

}  // namespace atelier::families

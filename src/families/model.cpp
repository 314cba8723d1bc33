#include "families/model.h"

#include <fstream>
#include <sstream>

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr uintmax_t kMaxConfigBytes = 64U << 20U;

Result<json::value> ReadJsonFile(const std::filesystem::path& file) {
  std::error_code ec;
  const auto size = std::filesystem::file_size(file, ec);
  if (ec) {
    return NotFound("the model has no file " + file.filename().string());
  }
  if (size > kMaxConfigBytes) {
    return InvalidArgument(file.filename().string() + " is too large", "", "invalid_model_file");
  }
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  auto value = ParseJson(text.str(), {.max_bytes = kMaxConfigBytes, .max_depth = 32});
  if (!value.ok()) {
    return InvalidArgument(file.filename().string() + ": " + value.error().message, "", "invalid_model_file");
  }
  return value;
}

}  // namespace

ModelFiles FilesIn(const std::filesystem::path& folder) {
  return {folder / kConfigFile, folder / kWeightsFile, folder / kPreprocessorFile};
}

Result<Model> LoadModel(const ModelFiles& files) {
  Model model;
  ATELIER_ASSIGN(config_json, ReadJsonFile(files.config));
  ATELIER_ASSIGN(config, ModelConfigFromJson(config_json));
  model.config = std::move(config);
  ATELIER_ASSIGN(preprocessor_json, ReadJsonFile(files.preprocessor));
  ATELIER_ASSIGN(preprocessor, PreprocessorFromJson(preprocessor_json, model.config));
  model.preprocessor = std::move(preprocessor);
  ATELIER_ASSIGN(network, BuildNetwork(model.config, 0));
  ATELIER_TRY(LoadWeights(*network, files.weights));
  network->eval();
  model.network = std::move(network);
  return model;
}

}  // namespace atelier::families

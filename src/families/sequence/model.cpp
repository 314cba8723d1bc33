#include "families/sequence/model.h"

#include "base/json.h"
#include "families/weights.h"

namespace atelier::families {

Result<SequenceModel> LoadSequenceModel(const ModelFiles& files) {
  SequenceModel model;
  ATELIER_ASSIGN(config_json, JsonFile(files, kConfigFile));
  ATELIER_ASSIGN(config, SequenceConfigFromJson(config_json));
  model.config = std::move(config);
  json::object words;
  if (model.config.reads_words()) {
    ATELIER_ASSIGN(list, JsonFile(files, kVocabularyFile));
    words = std::move(list);
  }
  ATELIER_ASSIGN(preprocessor_json, JsonFile(files, kPreprocessorFile));
  ATELIER_ASSIGN(preprocessor, SequencePreprocessorFromJson(preprocessor_json, &words, model.config));
  model.preprocessor = std::move(preprocessor);
  ATELIER_ASSIGN(weights, FileOf(files, kWeightsFile));
  ATELIER_TRY(CatchTorch([&]() -> Status {
    model.network = std::make_shared<SequenceNetwork>(model.config, 0);
    return LoadWeights(*model.network, weights);
  }));
  model.network->eval();
  return model;
}

Result<std::map<std::string, storage::BlobRef>> SaveSequenceModel(const SequenceModel& model,
                                                                  storage::BlobStore& blobs) {
  std::map<std::string, storage::BlobRef> files;
  ATELIER_ASSIGN(weights, StoreTensors(blobs, StateOf(*model.network)));
  ATELIER_ASSIGN(config, StoreJson(blobs, ToJson(model.config)));
  ATELIER_ASSIGN(preprocessor, StoreJson(blobs, ToJson(model.preprocessor)));
  files = {{kWeightsFile, weights}, {kConfigFile, config}, {kPreprocessorFile, preprocessor}};
  if (model.preprocessor.vocabulary.has_value()) {
    ATELIER_ASSIGN(words, StoreJson(blobs, model.preprocessor.vocabulary->WordsJson()));
    files[kVocabularyFile] = words;
  }
  return files;
}

Signature SignatureOf(const SequenceModel& model) {
  const auto& config = model.config;
  const auto& data = model.preprocessor.data;
  Signature signature;
  signature.family = config.family;
  signature.task = config.task;
  signature.input_fields = data.columns;
  if (config.reads_words()) {
    signature.inputs = {{"text", "BYTES", {-1}}};
  } else if (config.input == "series") {
    signature.inputs = {{"input", "FP32", {-1, config.context, config.features}}};
  } else {
    signature.inputs = {{"input", "FP32", {-1, data.steps, config.features}}};
  }
  if (config.task == "classification") {
    signature.labels = model.preprocessor.labels;
    signature.outputs = {{"probabilities", "FP32", {-1, config.outputs}}};
  } else if (config.task == "token-classification") {
    signature.labels = model.preprocessor.labels;
    signature.outputs = {{"tags", "BYTES", {-1, -1}}};
  } else {
    signature.outputs = {{"values", "FP32", {-1, config.outputs}}};
    signature.output_fields = {data.target};
  }
  return signature;
}

}  // namespace atelier::families

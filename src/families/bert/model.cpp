#include "families/bert/model.h"

#include "base/json.h"

namespace atelier::families::bert {
namespace {

constexpr const char* kTokenizerConfigFile = "tokenizer_config.json";

Result<std::string> TextOf(const ModelFiles& files, const char* name) {
  ATELIER_ASSIGN(object, JsonFile(files, name));
  return json::serialize(object);
}

Status ReadTokenizer(const ModelFiles& files, Model& model) {
  ATELIER_ASSIGN(tokenizer_json, TextOf(files, kTokenizerFile));
  model.tokenizer_files.tokenizer_json = std::move(tokenizer_json);
  if (files.contains(kTokenizerConfigFile)) {
    ATELIER_ASSIGN(config_json, TextOf(files, kTokenizerConfigFile));
    model.tokenizer_files.tokenizer_config_json = std::move(config_json);
  }
  ATELIER_ASSIGN(tokenizer, text::MakeTokenizer(model.tokenizer_files));
  if (tokenizer->size() > model.config.vocabulary) {
    return InvalidArgument("tokenizer.json has more tokens than config.json says", "", "invalid_model_file");
  }
  model.tokenizer = std::move(tokenizer);
  return {};
}

// A config cannot ask for memory that no weights fill.
Status MakeNetwork(const Tensors& weights, Heads heads, Model& model) {
  int64_t numbers = 0;
  for (const auto& [name, tensor] : weights) {
    numbers += tensor.numel();
  }
  if (numbers < ParametersOf(model.config)) {
    return InvalidArgument("the weights have fewer numbers than config.json says", "", "invalid_model_file");
  }
  ATELIER_TRY(CatchTorch([&]() -> Status {
    model.network = Network(model.config);
    return {};
  }));
  return ReadWeights(weights, heads, *model.network);
}

bool SameLabels(const json::object& config_json, const Config& wanted) {
  const auto theirs = ConfigFromJson(config_json);
  return theirs.ok() && theirs->task == wanted.task && theirs->labels == wanted.labels && !wanted.labels.empty();
}

}  // namespace

Result<Model> LoadModel(const ModelFiles& files) {
  Model model;
  ATELIER_ASSIGN(config_json, JsonFile(files, kConfigFile));
  ATELIER_ASSIGN(config, ConfigFromJson(config_json));
  model.config = std::move(config);
  ATELIER_TRY(ReadTokenizer(files, model));
  ATELIER_ASSIGN(path, FileOf(files, kWeightsFile));
  ATELIER_ASSIGN(weights, ReadTensors(path));
  ATELIER_TRY(MakeNetwork(weights, Heads::kMust, model));
  model.network->eval();
  return model;
}

Result<Model> LoadBase(const ModelFiles& files, const Config& wanted) {
  Model model;
  ATELIER_ASSIGN(config_json, JsonFile(files, kConfigFile));
  ATELIER_ASSIGN(config, EncoderFromJson(config_json));
  model.config = std::move(config);
  model.config.dropout = wanted.dropout;
  model.config.task = wanted.task;
  model.config.columns = wanted.columns;
  model.config.target = wanted.target;
  model.config.labels = wanted.labels;
  model.config.pools_first = wanted.pools_first;
  model.config.max_length = std::min(wanted.max_length, model.config.positions);
  ATELIER_TRY(ReadTokenizer(files, model));
  ATELIER_ASSIGN(path, FileOf(files, kWeightsFile));
  ATELIER_ASSIGN(weights, ReadTensors(path));
  ATELIER_TRY(MakeNetwork(weights, SameLabels(config_json, wanted) ? Heads::kMay : Heads::kDrawn, model));
  return model;
}

Result<std::map<std::string, storage::BlobRef>> StoreModel(const Model& model, double shift, double scale,
                                                           storage::BlobStore& blobs) {
  auto tensors = ToHuggingFace(*model.network);
  if (model.config.task == Task::kRegression) {
    tensors.at("classifier.weight") = tensors.at("classifier.weight") * scale;
    tensors.at("classifier.bias") = tensors.at("classifier.bias") * scale + shift;
  }
  ATELIER_ASSIGN(weights, StoreTensors(blobs, tensors));
  ATELIER_ASSIGN(config, StoreJson(blobs, ToJson(model.config)));
  ATELIER_ASSIGN(tokenizer, storage::PutBytes(blobs, model.tokenizer_files.tokenizer_json));
  std::map<std::string, storage::BlobRef> files{
      {kConfigFile, config}, {kWeightsFile, weights}, {kTokenizerFile, tokenizer}};
  if (!model.tokenizer_files.tokenizer_config_json.empty()) {
    ATELIER_ASSIGN(tokenizer_config, storage::PutBytes(blobs, model.tokenizer_files.tokenizer_config_json));
    files.emplace(kTokenizerConfigFile, tokenizer_config);
  }
  return files;
}

Signature SignatureOf(const Config& config) {
  Signature signature{.family = "bert",
                      .task = std::string(Name(config.task)),
                      .inputs = {{"text", "BYTES", {-1}}},
                      .outputs = {},
                      .labels = config.labels,
                      .input_fields = config.columns,
                      .output_fields = {}};
  switch (config.task) {
    case Task::kClassification:
      signature.outputs = {{"probabilities", "FP32", {-1, config.outputs()}}};
      break;
    case Task::kRegression:
      signature.outputs = {{"values", "FP32", {-1, 1}}};
      signature.output_fields = {config.target};
      break;
    case Task::kTagging:
      signature.outputs = {{"tags", "BYTES", {-1, -1}}};
      break;
    case Task::kMaskedLm:
      signature.task = "text2text-generation";
      signature.outputs = {{"text", "BYTES", {-1, -1}}};
      break;
    case Task::kEmbedding:
      signature.task = "feature-extraction";
      signature.input_fields = {config.columns[0]};
      signature.outputs = {{"embedding", "FP32", {-1, config.width}}};
      break;
  }
  return signature;
}

}  // namespace atelier::families::bert

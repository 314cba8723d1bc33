#include "families/sequential/chain_predictor.h"

namespace atelier::families {

Signature MakeSignature(const ModelConfig& config, const Preprocessor& preprocessor) {
  Signature signature;
  signature.family = config.family;
  signature.task = config.task;
  signature.labels = preprocessor.target.labels;
  TensorSpec input{"input", "FP32", {-1}};
  if (const auto* table = std::get_if<TableInput>(&preprocessor.input)) {
    bool numbers = true;
    for (const auto& field : table->fields) {
      signature.input_fields.push_back(field.name);
      numbers = numbers && !field.category;
    }
    if (numbers) {
      input.shape.push_back(config.input_shape[0]);
    } else {
      input = {"input", "BYTES", {-1, static_cast<int64_t>(table->fields.size())}};  // records
    }
  } else {
    input.shape.insert(input.shape.end(), config.input_shape.begin(), config.input_shape.end());
  }
  signature.inputs.push_back(std::move(input));
  if (config.task == "classification") {
    signature.outputs.push_back({"probabilities", "FP32", {-1, config.outputs}});
  } else {
    signature.outputs.push_back({"values", "FP32", {-1, config.outputs}});
    signature.output_fields.push_back(preprocessor.target.name);
  }
  return signature;
}

}  // namespace atelier::families

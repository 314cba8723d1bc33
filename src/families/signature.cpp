#include "base/json.h"
#include "families/predictor.h"

namespace atelier::families {
namespace {

json::array SpecsToJson(const std::vector<TensorSpec>& specs) {
  json::array array;
  for (const auto& spec : specs) {
    array.push_back({{"name", spec.name}, {"datatype", spec.datatype}, {"shape", json::value_from(spec.shape)}});
  }
  return array;
}

}  // namespace

json::object ToJson(const Signature& signature) {
  return {{"inputs", SpecsToJson(signature.inputs)},
          {"outputs", SpecsToJson(signature.outputs)},
          {"input_fields", json::value_from(signature.input_fields)},
          {"output_fields", json::value_from(signature.output_fields)}};
}

}  // namespace atelier::families

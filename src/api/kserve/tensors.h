// Tensors of the Open Inference Protocol as instances of ours, and the way back.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "serving/deployments.h"

namespace atelier::api::kserve {

struct WantedOutput {
  std::string name;
  int classification = 0;  // > 0: so many "value:index:label" texts an instance
};

struct InferRequest {
  std::string id;
  std::vector<serving::Instance> instances;
  std::vector<WantedOutput> outputs;  // empty: all
};

// Errors: kInvalidArgument (what is not in the protocol, or does not fit the signature).
Result<InferRequest> ParseInfer(const json::object& body, const serving::Signature& signature);
// The "outputs" of an answer. Errors: kInvalidArgument (an output the model does not have).
Result<json::array> MakeOutputs(const serving::PredictAnswer& answer, const std::vector<WantedOutput>& wanted);

}  // namespace atelier::api::kserve

// config.json of a model version: what the network is. Data only; nothing in it names code.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "families/spec/plan.h"

namespace atelier::families {

struct ModelConfig {
  std::string family{};                // "mlp" | "cnn"
  std::string task{};                  // "classification" | "regression"
  std::string input_kind{};            // "image" | "table"
  std::vector<int64_t> input_shape{};  // image: [channels, height, width]; table: [features]
  int64_t outputs = 0;                 // classes, or regression targets
  std::vector<Layer> layers{};         // complete, with the output layer; names of weights are "layers.<index>.<what>"
};

// The shapes of its layers. Errors: as MakePlan, and where the last layer does not give `outputs` values.
Result<Plan> MakePlan(const ModelConfig& config);

// How many of `threads` a forward pass of `instances` at once is worth: one for every 16 million multiplications, at
// least one. Below that, threads wait for each other longer than they work. Errors: as MakePlan.
Result<int> UsefulThreads(const ModelConfig& config, int64_t instances, int threads);

boost::json::object ToJson(const ModelConfig& config);
// Errors: kInvalidArgument "invalid_model_file" where a field is missing, unknown or does not fit the others.
Result<ModelConfig> ModelConfigFromJson(const boost::json::value& value);

}  // namespace atelier::families

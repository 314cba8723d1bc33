// What a worker serves: one loaded model version that computes batches. Families implement it through an adapter in
// apps/atelier-torch.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/generation.h"

namespace atelier::serving {

struct Tensor {
  std::vector<int64_t> shape;  // without the batch dimension
  std::vector<float> values;   // row-major
};
struct Image {
  std::string bytes;  // an encoded picture
};
using Record = std::map<std::string, std::variant<double, std::string>>;
struct Text {
  std::string text;
};
using Instance = std::variant<Tensor, Image, Record, Text>;

struct TensorSpec {
  std::string name;
  std::string datatype;        // of the Open Inference Protocol: FP32 ...
  std::vector<int64_t> shape;  // batch dimension first, -1 where variable
};

struct Signature {
  std::string family;
  // "classification" | "regression" | "forecasting" | "token-classification" | "text2text-generation" |
  // "feature-extraction"; of generative models "text-generation" | "feature-extraction" | "text-ranking"
  std::string task;
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  std::vector<std::string> labels;
  std::vector<std::string> input_fields;
  std::vector<std::string> output_fields;
  std::optional<engine::GenerativeDescription> generative{};  // of generative models, which have none of the above
};

// An instance after validation and preprocessing, ready for a batch. Opaque to serving.
class Prepared {
 public:
  virtual ~Prepared() = default;
};

// What a model says of one instance, by the task of its signature:
//   classification      : values: a probability a label
//   regression          : values: one an output field
//   forecasting         : values: one a step ahead
//   token-classification: texts: a tag a token; tokens: the tokens; values: the probability of each tag
//   text2text-generation: texts: the best text first; values: the score of each
//   feature-extraction  : values: the vector
struct Answer {
  std::vector<float> values{};
  std::vector<std::string> texts{};
  std::vector<std::string> tokens{};

  bool operator==(const Answer&) const = default;
};

class Predictor {
 public:
  virtual ~Predictor() = default;
  virtual const Signature& signature() const = 0;
  // Validates and preprocesses one instance; called from many threads at once. Errors: kInvalidArgument.
  virtual Result<std::unique_ptr<Prepared>> Prepare(const Instance& instance) const = 0;
  // One forward pass; called from one thread at a time. One answer an instance, in order.
  virtual Result<std::vector<Answer>> Predict(std::span<const Prepared* const> batch) = 0;
};

}  // namespace atelier::serving

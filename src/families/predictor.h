// A loaded model that answers instances. Mirrors serving/predictor.h, which is a floor above; the adapter is in
// apps/atelier-torch. Includes no LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "families/preprocess/preprocessor.h"
#include "families/spec/model_config.h"

namespace atelier::families {

struct InstanceTensor {
  std::vector<int64_t> shape;  // without the batch dimension
  std::vector<float> values;   // row-major
};
struct InstanceImage {
  std::string bytes;  // an encoded picture
};
// A number may be given as text; empty text is a missing value (the mean, or no category), as in training.
using InstanceRecord = std::map<std::string, std::variant<double, std::string>>;
struct InstanceText {
  std::string text;  // refused by all families so far
};
using Instance = std::variant<InstanceTensor, InstanceImage, InstanceRecord, InstanceText>;

struct TensorSpec {
  std::string name;
  std::string datatype;        // of the Open Inference Protocol: FP32
  std::vector<int64_t> shape;  // batch dimension first, -1 where variable
};

struct Signature {
  std::string family;
  std::string task;  // "classification" | "regression"
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  std::vector<std::string> labels;         // classification, in order of the output
  std::vector<std::string> input_fields;   // tables: names of a record's fields, in order
  std::vector<std::string> output_fields;  // regression: the target's name
};

Signature MakeSignature(const ModelConfig& config, const Preprocessor& preprocessor);
boost::json::object ToJson(const Signature& signature);

// One instance after validation: the raw values of preprocessor.h, not yet scaled.
struct PreparedInstance {
  std::vector<float> values;
};

class Predictor {
 public:
  // Loads a model folder. `threads` is for the whole process (LibTorch's pool). Errors: as LoadModel.
  static Result<std::unique_ptr<Predictor>> Open(const std::filesystem::path& folder, int threads);
  virtual ~Predictor() = default;

  virtual const Signature& signature() const = 0;

  // Thread-safe. A picture model takes an encoded picture, or a tensor of raw pixel values 0..255 as they are in the
  // data set (the model scales them itself) of shape [channels, height, width], or flat, or [height, width] where it
  // has one channel. A table model takes a record of exactly its fields, or, where all of them are numbers, a tensor of
  // all values in order. Errors: kInvalidArgument naming the field, or the shapes given and expected.
  virtual Result<PreparedInstance> Prepare(const Instance& instance) const = 0;

  // One forward pass over the batch; one thread at a time. Classification: a probability a label (softmax of the
  // logits). Regression: the value in the target's unit.
  virtual Result<std::vector<std::vector<float>>> Predict(std::span<const PreparedInstance* const> batch) = 0;
};

}  // namespace atelier::families

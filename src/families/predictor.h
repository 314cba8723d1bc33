// A loaded model that answers instances. Mirrors serving/predictor.h, which is a floor above; the adapter is in
// apps/atelier-torch. Includes no LibTorch.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

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
  std::string text;
};
using Instance = std::variant<InstanceTensor, InstanceImage, InstanceRecord, InstanceText>;

struct TensorSpec {
  std::string name;
  std::string datatype;        // of the Open Inference Protocol: FP32, BYTES
  std::vector<int64_t> shape;  // batch dimension first, -1 where variable
};

struct Signature {
  std::string family;
  std::string task;  // as serving/predictor.h has it
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  std::vector<std::string> labels;         // classification, in order of the output
  std::vector<std::string> input_fields;   // tables: names of a record's fields, in order
  std::vector<std::string> output_fields;  // regression: the target's name
};

boost::json::object ToJson(const Signature& signature);

// One instance after validation and preprocessing; each family has its own.
class PreparedInstance {
 public:
  virtual ~PreparedInstance() = default;
};

// Mirrors serving::Answer: what its members mean depends on the task.
struct Answer {
  std::vector<float> values{};
  std::vector<std::string> texts{};
  std::vector<std::string> tokens{};
};

class Predictor {
 public:
  // Loads a model folder of any family. `threads` is for the whole process (LibTorch's pool). Errors: kNotFound,
  // kInvalidArgument "invalid_model_file".
  static Result<std::unique_ptr<Predictor>> Open(const std::filesystem::path& folder, int threads);
  virtual ~Predictor() = default;

  virtual const Signature& signature() const = 0;

  // Thread-safe. Errors: kInvalidArgument naming the field, or the shapes given and expected.
  virtual Result<std::unique_ptr<PreparedInstance>> Prepare(const Instance& instance) const = 0;

  // One forward pass over the batch; one thread at a time. One answer an instance, in order.
  virtual Result<std::vector<Answer>> Predict(std::span<const PreparedInstance* const> batch) = 0;
};

}  // namespace atelier::families

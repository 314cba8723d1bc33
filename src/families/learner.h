// What a family is to the trainer and to the jobs. A family's folder implements these interfaces; families.cpp lists
// it.
#pragma once

#include <torch/torch.h>

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/reader.h"
#include "families/predictor.h"
#include "storage/blob_store.h"

namespace atelier::families {

inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kPreprocessorFile = "preprocessor_config.json";
inline constexpr const char* kTokenizerFile = "tokenizer.json";
inline constexpr const char* kMetadataFile = "atelier.json";

// The files of a model version by name; they may lie anywhere (a blob store names them by content).
using ModelFiles = std::map<std::string, std::filesystem::path>;

// Sums over examples; what is derived from them does not depend on how they were cut into batches.
struct Sums {
  double loss = 0;    // of all terms
  double weight = 0;  // number of terms: samples of a classifier, target tokens of a language model
  double score = 0;   // what the learner's metric is made of

  void Add(const Sums& other) {
    loss += other.loss;
    weight += other.weight;
    score += other.score;
  }
  double mean_loss() const { return weight > 0 ? loss / weight : 0; }
};

struct BatchLoss {
  torch::Tensor loss{};  // F32 [], the mean of the batch's terms, with its graph
  double weight = 0;     // as Sums
  double score = 0;
};

using Batches = std::vector<std::vector<int64_t>>;  // example numbers

// One training under way: examples in memory, a network, a loss. The trainer shuffles nothing itself: what is random in
// an epoch is a function of (seed, epoch), what is random in a step of torch's generator, which the trainer seeds. Not
// thread-safe. LibTorch's exceptions may leave Forward; the trainer catches them.
class Learner {
 public:
  virtual ~Learner() = default;

  // Parameters that require no gradient stay as they are and are not part of checkpoints.
  virtual torch::nn::Module& module() = 0;
  // The batches of an epoch, counted from 0: the same number in each. Pure.
  virtual Batches Epoch(int64_t epoch) const = 0;
  // In training mode. `bf16`: matrix products in bfloat16 (see precision.h), the loss in float32.
  virtual BatchLoss Forward(std::span<const int64_t> batch, bool bf16) = 0;
  // Of the validation examples, in evaluation mode; weight 0 where there are none. Errors: kCancelled.
  virtual Result<Sums> Validate(const std::function<bool()>& cancelled) = 0;

  virtual std::string metric_name() const = 0;  // "accuracy" | "rmse" | "loss_per_character" ...
  virtual double Metric(const Sums& sums) const = 0;
  // How many of `threads` a step is worth.
  virtual Result<int> UsefulThreads(int threads) const { return threads; }

  // The trained model as files, without atelier.json. The module is in evaluation mode.
  virtual Result<std::map<std::string, storage::BlobRef>> Save(storage::BlobStore& blobs) const = 0;
  // The family's part of atelier.json: "task", "labels", "signature", "parameters" ...; a "family" here names who
  // serves it, where that is another.
  virtual boost::json::object Describe() const = 0;
};

// The parts of a data set that a training sees.
struct TrainRows {
  std::vector<int64_t> train{};
  std::vector<int64_t> validation{};
};

// Callbacks may be empty.
struct LearnInput {
  std::string family{};
  const boost::json::object& settings;  // complete (learning/spec)
  const data::Reader& reader;
  TrainRows rows{};
  ModelFiles base{};                   // files of the model to go on from; empty: from scratch
  boost::json::object base_version{};  // {"name","version"} of it
  int threads = 1;
  std::filesystem::path directory{};  // of the job, for what must survive a kill; empty: nothing may
  std::function<bool()> cancelled{};
  std::function<void(boost::json::object)> progress{};
  std::function<void(std::string_view level, std::string_view text)> message{};
};

// What a family that has a training loop of its own gives.
struct LearnedModel {
  std::map<std::string, storage::BlobRef> files{};
  boost::json::object description{};  // as Learner::Describe
  boost::json::object training{};     // "epochs", "history" ...
};

// What a model said of rows whose truth is known. `task` as in Signature; only its members are filled.
struct Outcomes {
  std::string task{};
  std::vector<int64_t> rows{};        // of the data set, in order
  std::vector<std::string> labels{};  // classification: the classes
  std::vector<int64_t> classes{};     // classification: the true class of each row
  std::vector<float> scores{};        // classification: [rows, labels], logits or probabilities
  std::vector<double> truth{};        // regression: one a row; forecasting: all steps of each row
  std::vector<double> predicted{};
  std::vector<std::string> references{};  // token-classification: tags divided by spaces; generation: texts
  std::vector<std::string> texts{};
  double loss = 0;              // mean
  boost::json::object extra{};  // measures that only the family knows
};

struct MeasureInput {
  const data::Reader& reader;
  std::span<const int64_t> rows{};
  int threads = 1;
  std::function<bool()> cancelled{};  // may be empty
};

// A family's entry. `learn` or `train`, not both.
struct Entry {
  std::string_view name{};
  Result<std::unique_ptr<Learner>> (*learn)(const LearnInput& input) = nullptr;
  Result<LearnedModel> (*train)(const LearnInput& input, storage::BlobStore& blobs) = nullptr;
  Result<std::unique_ptr<Predictor>> (*open)(const ModelFiles& files, int threads) = nullptr;
  // Errors: kInvalidArgument "dataset_unsuitable", kCancelled. Null: such models are not evaluated.
  Result<Outcomes> (*measure)(const ModelFiles& files, const MeasureInput& input) = nullptr;
};

// The list: families.cpp.
std::span<const Entry> Entries();
// Errors: kInvalidArgument "unknown_family".
Result<const Entry*> FindEntry(std::string_view family);
// By the "family" of atelier.json, or of config.json where that is absent. Errors: kNotFound, kInvalidArgument
// "invalid_model_file".
Result<const Entry*> EntryOf(const ModelFiles& files);

// All regular files of a folder. Errors: kNotFound.
Result<ModelFiles> FilesIn(const std::filesystem::path& folder);
// Errors: kNotFound, naming the file.
Result<std::filesystem::path> FileOf(const ModelFiles& files, const std::string& name);
// A file of at most 256 MiB as JSON. Errors: kNotFound, kInvalidArgument "invalid_model_file".
Result<boost::json::object> JsonFile(const ModelFiles& files, const std::string& name);

}  // namespace atelier::families

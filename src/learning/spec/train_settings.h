// How to train: every setting with its default and range, checked against the data set before a job exists.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/manifest.h"
#include "families/spec/layers.h"
#include "families/spec/model_config.h"

namespace atelier::learning {

// The defaults here are those of the API.
struct TrainSettings {
  std::vector<families::Layer> layers;  // hidden layers as the user wrote them; empty list: a linear model
  std::string activation = "relu";      // of hidden layers that do not name one
  double dropout = 0;                   // after hidden dense layers, [0, 1)
  bool batch_norm = false;              // after every hidden dense and convolution layer
  std::vector<int64_t> input_size;      // pictures: [height, width]; empty: the data set's, or 64 x 64 for mixed sizes
  int64_t channels = 0;                 // pictures: 1 (grey) or 3 (RGB); 0: the data set's, or 3 for encoded files
  int64_t epochs = 5;
  int64_t batch_size = 64;
  std::string optimizer = "adam";  // adam | sgd
  double learning_rate = 0.002;
  double momentum = 0.9;      // sgd only
  double weight_decay = 0;    // decoupled (I. Loshchilov, F. Hutter, arXiv:1711.05101): w -= lr * weight_decay * w
  double l1 = 0;              // penalty l1 * sum |w| over weights (not biases, not batch norm), added to the gradient
  double l2 = 0;              // penalty l2 * sum w^2, the same way; so its gradient is 2 * l2 * w
  std::string loss = "auto";  // auto | sparse_cross_entropy | cross_entropy | mse
  std::string schedule = "cosine";  // constant | cosine | step
  int64_t warmup_steps = 0;         // cosine, constant: the rate rises linearly over so many steps
  int64_t step_epochs = 2;          // step: every so many epochs ...
  double step_factor = 0.5;         // ... the rate is multiplied by this
  double gradient_clip = 0;         // largest L2 norm of the whole gradient; 0: none
  int64_t early_stopping = 0;       // epochs without improvement before stopping, best weights kept; 0: off
  double validation = 0;            // share of train to validate on where the data set has no validation rows, [0, 0.9]
  uint64_t seed = 1;
  std::string precision = "auto";       // auto | fp32 | bf16 (auto: bf16 where the processor multiplies it in hardware)
  int64_t checkpoint_every_steps = 0;   // 0: by time, at most every 2 s
  int64_t checkpoint_every_epochs = 0;  // 0: at the end of an epoch when 2 s have passed since the last
};

// Reads settings strictly: an unknown key is refused naming the nearest known one; a value may be given as text, as the
// command line does ("epochs":"5"). Absent ones get the family's defaults. Errors: kInvalidArgument on
// `settings.<key>`.
Result<TrainSettings> TrainSettingsFromJson(const std::string& family, const boost::json::object& user);

// Every setting, in canonical form; TrainSettingsFromJson reads it back unchanged.
boost::json::object ToJson(const TrainSettings& settings);

// The network for these settings on this data set. Errors: kInvalidArgument where they do not fit:
// no target, no picture column for cnn, fewer than two classes, a constant or wholly missing target, a text column in a
// table, layers that the input is too small for, an empty train split ...
Result<families::ModelConfig> MakeModelConfig(const std::string& family, const TrainSettings& settings,
                                              const data::Manifest& manifest);

// What the gateway calls before it queues a training: parses, checks all of the above and that the loss fits the task.
// Returns the canonical settings for the job.
Result<boost::json::object> MakeTrainSettings(const std::string& family, const boost::json::object& user,
                                              const data::Manifest& manifest);

// The loss that `auto` means for a task.
std::string ResolveLoss(const TrainSettings& settings, const std::string& task);

// The column that a picture model reads: the only image column. Errors: kInvalidArgument (none, or several).
Result<const data::Column*> ImageColumn(const data::Manifest& manifest);

// The columns of a table model: all but the target, in order. Errors: kInvalidArgument on text and image columns.
Result<std::vector<const data::Column*>> TableColumns(const data::Manifest& manifest);

}  // namespace atelier::learning

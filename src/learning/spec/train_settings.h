// How to train: every setting with its default and range, checked against the data set before a job exists.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "data/manifest.h"
#include "families/spec/families.h"

namespace atelier::learning {

// What the trainer takes; families have settings of their own besides.
struct TrainSettings {
  int64_t epochs = 5;
  int64_t batch_size = 64;
  int64_t accumulation = 1;        // batches whose gradients make one step
  std::string optimizer = "adam";  // adam | adamw | sgd
  double learning_rate = 0.002;
  double momentum = 0.9;  // sgd only
  double beta1 = 0.9;     // adam, adamw
  double beta2 = 0.999;
  double weight_decay = 0;  // decoupled (I. Loshchilov, F. Hutter, arXiv:1711.05101): w -= lr * weight_decay * w
  double l1 = 0;            // penalty l1 * sum |w| over weights (not biases, not norms), added to the gradient
  double l2 = 0;            // penalty l2 * sum w^2, the same way; so its gradient is 2 * l2 * w
  std::string schedule = "cosine";  // constant | cosine | linear | step
  int64_t warmup_steps = 0;         // the rate rises linearly over so many steps; not for step
  double final_rate = 0;            // cosine, linear: the share of the rate that is left at the end
  int64_t step_epochs = 2;          // step: every so many epochs ...
  double step_factor = 0.5;         // ... the rate is multiplied by this
  double gradient_clip = 0;         // largest L2 norm of the whole gradient; 0: none
  int64_t early_stopping = 0;       // epochs without improvement before stopping, best weights kept; 0: off
  double validation = 0;            // share of train to validate on where the data set has no validation rows
  uint64_t seed = 1;
  std::string precision = "auto";       // auto | fp32 | bf16 (auto: bf16 where the processor multiplies it in hardware)
  int64_t checkpoint_every_steps = 0;   // 0: by time, at most every 2 s
  int64_t checkpoint_every_epochs = 0;  // 0: at the end of an epoch when 2 s have passed since the last
};

// The settings that every training has.
std::span<const families::Setting> CommonSettings();

// Every setting of a family, common and its own, with defaults filled in; `further`: those of a training that goes on
// from a model. Errors: as families::ReadSettings, "unknown_family".
Result<boost::json::object> CompleteSettings(const std::string& family, const boost::json::object& user,
                                             bool further = false);

// What the gateway calls before it queues a training, and the job before it trains: completes the settings and checks
// them against the data set. `base`: atelier.json of the model to go on from, or null. Reads its own result back
// unchanged. Errors: kInvalidArgument.
Result<boost::json::object> MakeTrainSettings(const std::string& family, const boost::json::object& user,
                                              const data::Manifest& manifest,
                                              const boost::json::object* base = nullptr);

// The trainer's part of complete settings.
TrainSettings TrainSettingsOf(const boost::json::object& settings);

}  // namespace atelier::learning

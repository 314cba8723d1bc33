// Trains what a family's learner holds. The same inputs give the same weights, bit for bit, whether or not it was
// killed and resumed on the way: what is random is derived from (seed, epoch) and (seed, step), and time never matters.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "families/learner.h"
#include "learning/spec/train_settings.h"

namespace atelier::learning {

struct TrainOptions {
  TrainSettings settings{};
  std::filesystem::path checkpoint_directory{};  // empty: no checkpoints
  std::string fingerprint{};                     // of data and settings: a checkpoint of another training is refused
  int threads = 1;                               // at most; a resumed run keeps the count that it began with
  std::function<bool()> cancelled{};             // asked before each step; may be empty
  std::function<void(boost::json::object)>
      progress{};  // job progress events of stages "train" and "epoch"; may be empty
  std::function<void(std::string_view level, std::string_view text)> message{};  // may be empty
};

struct EpochRecord {
  double loss = 0;    // mean over the epoch's terms, without penalties
  double metric = 0;  // the learner's, of the same forward passes
  double validation_loss = 0;
  double validation_metric = 0;
  double learning_rate = 0;  // of the last step
};

struct TrainOutcome {
  std::vector<EpochRecord> history{};
  bool validated = false;  // whether the validation numbers mean anything
  bool stopped_early = false;
  int64_t best_epoch = 0;  // from 1: whose weights the model has
  int64_t steps_per_epoch = 0;
  std::string precision{};  // "fp32" | "bf16", as trained
};

// Trains the learner's module in place and leaves it in evaluation mode. Of several batches that make one step
// (accumulation) the gradients are averaged. Errors: kCancelled (a checkpoint was written), kFailedPrecondition
// "training_diverged" (the loss is not finite) | "checkpoint_mismatch", kResourceExhausted, kInternal. After an error
// the weights are unspecified.
Result<TrainOutcome> Train(families::Learner& learner, const TrainOptions& options);

}  // namespace atelier::learning

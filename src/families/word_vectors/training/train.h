// Carries a run through its epochs: progress, checkpoints, cancelling.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "families/word_vectors/training/run.h"

namespace atelier::families::word_vectors {

struct TrainLoopOptions {
  int64_t epochs = 1;
  std::filesystem::path checkpoint_directory{};  // empty: none are written
  std::string fingerprint{};                     // of all that the result depends on
  int64_t checkpoint_every_steps = 0;            // 0: by time, at most every 2 s and a twentieth of it
  // Callbacks may be empty.
  std::function<bool()> cancelled{};                    // asked before each step
  std::function<void(boost::json::object)> progress{};  // stages "train" and "epoch"
  std::function<void(std::string_view level, std::string_view text)> message{};
};

struct EpochLoss {
  double loss = 0;
  double learning_rate = 0;  // at its end
};

// Goes on from the newest checkpoint where one is. Errors: kCancelled (a checkpoint was written), kFailedPrecondition
// "training_diverged" | "checkpoint_mismatch", kDataLoss, and of writing files.
Result<std::vector<EpochLoss>> TrainLoop(Run& run, const TrainLoopOptions& options);

}  // namespace atelier::families::word_vectors

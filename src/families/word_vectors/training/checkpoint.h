// A run's state in one file, whole or not there.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "families/word_vectors/training/train.h"

namespace atelier::families::word_vectors {

// Where a training stands, besides the run's own state.
struct LoopState {
  Position position{};
  double loss = 0;  // sum over the samples of this epoch so far
  double samples = 0;
  std::vector<EpochLoss> history{};
};

struct Checkpoint {
  LoopState state;
  std::unique_ptr<tensor::SafetensorsFile> file;  // of the run's tensors
};

// Takes the place of the one before when it is durable. Errors: kResourceExhausted "storage_full", kInternal.
Status SaveCheckpoint(const std::filesystem::path& directory, const std::string& fingerprint, const LoopState& state,
                      const std::map<std::string, tensor::View>& tensors);
// Nothing where there is none. Errors: kFailedPrecondition "checkpoint_mismatch" (of another fingerprint), kDataLoss.
Result<std::optional<Checkpoint>> LoadCheckpoint(const std::filesystem::path& directory,
                                                 const std::string& fingerprint);

}  // namespace atelier::families::word_vectors

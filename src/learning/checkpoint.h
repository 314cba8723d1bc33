// Checkpoints that survive a kill or a power loss at any moment.
//
// DIRECTORY/checkpoint-<number>/ holds
//   tensors.safetensors   weights, moments, best weights, sums
//   state.json            {"state":"<JSON text>","state_sha256":"..."}; the state holds the hash of the tensors
// A checkpoint is written to DIRECTORY/writing/, synced, and renamed; the two newest stay. One that does not match its
// hashes is skipped for the one before it.
#pragma once

#include <torch/torch.h>

#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace atelier::learning {

struct Checkpoint {
  int64_t number = 0;         // grows; the global step
  boost::json::object state;  // integers and texts only where bits matter: numbers with fractions belong in tensors
  std::map<std::string, torch::Tensor> tensors;
};

// Not thread-safe.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Durable when it returns. Errors: kResourceExhausted "storage_full", kInternal; older checkpoints then remain.
  Status Save(const Checkpoint& checkpoint);
  // The newest whole one; none where there is none. Errors: kInternal.
  Result<std::optional<Checkpoint>> LoadNewest();

 private:
  std::filesystem::path directory_;
};

}  // namespace atelier::learning

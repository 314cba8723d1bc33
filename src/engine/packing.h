// Weights in the order in which the kernels read them, made once when a model is loaded: quantised ones for the integer
// kernels, and those of 16 bits.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <thread>

#include "base/result.h"
#include "engine/thread_pool.h"
#include "engine/weights.h"

namespace atelier::engine {

struct PackingOptions {
  bool integers = true;  // quantised weights, too, which are multiplied with rounded activations then
  // A file from which the panels of these very weights are read, or into which a thread writes them for the next time;
  // empty: none. One that cannot be read or written is none, too.
  std::filesystem::path cache{};
};

// Owns the panels of a model's matrices, in pages of 2 MiB where the system has them.
class PackedWeights {
 public:
  // Nothing is packed.
  PackedWeights() = default;
  // Packs every matrix that activations are multiplied with; `weights` then point into the result, which must outlive
  // them. The order of the file is still what rows are read from. Errors: kResourceExhausted, and then the weights have
  // not changed.
  static Result<PackedWeights> Make(Weights& weights, ThreadPool& threads, const PackingOptions& options);

 private:
  struct Free {
    void operator()(std::byte* bytes) const;
  };
  std::unique_ptr<std::byte[], Free> bytes_;
  std::jthread writer_;  // reads bytes_
};

}  // namespace atelier::engine

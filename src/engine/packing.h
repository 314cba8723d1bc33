// Quantised weights in the order in which the integer kernels read them, made once when a model is loaded.
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "engine/thread_pool.h"
#include "engine/weights.h"

namespace atelier::engine {

// The bytes of all panels of a model, in pages of 2 MiB where the system has them.
class PackedMemory {
 public:
  // Errors: kResourceExhausted. Contents are unspecified.
  static Result<PackedMemory> Make(size_t bytes);
  std::byte* data() const { return bytes_.get(); }

 private:
  struct Free {
    void operator()(std::byte* bytes) const;
  };
  std::unique_ptr<std::byte[], Free> bytes_;
};

// Packs every matrix that activations are multiplied with and whose format is one of small integers; `weights` then
// point into the result, which must outlive them. The order of the file is still what rows are read from. Errors:
// kResourceExhausted, and then the weights have not changed.
Result<PackedMemory> PackWeights(Weights& weights, ThreadPool& threads);

}  // namespace atelier::engine

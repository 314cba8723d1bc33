// A model's file in other formats: each tensor is turned into floats and written again, some megabytes at a time, so
// that memory does not grow with the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/quantising/recipes.h"
#include "tensor/gguf.h"
#include "tensor/gguf_writer.h"

namespace atelier::engine {

struct QuantisationPlan {
  tensor::GgufMetadata metadata;  // the file's own but for general.file_type and general.quantization_version
  std::vector<tensor::GgufPlan> tensors;
  std::vector<std::string> warnings;  // what the recipe would have had otherwise: rows that do not fit; lossy sources
};

// What `recipe` makes of `file`. Errors: kInvalidArgument naming the key (no architecture).
Result<QuantisationPlan> PlanQuantisation(const tensor::GgufFile& file, const Recipe& recipe);

struct QuantiseOptions {
  size_t threads = 1;
  // Told after every few megabytes of the source; false: stop.
  std::function<bool(uint64_t done_bytes, uint64_t total_bytes)> on_progress{};
};

// Writes the file of `plan`, made of the same `file`. Tensors that keep their format are copied byte by byte; so the
// same recipe twice gives the same file. What is written does not depend on the number of threads. Errors:
// kInvalidArgument naming the tensor (a weight that is not finite or too large for the format); kCancelled; the sink's.
Status WriteQuantised(const tensor::GgufFile& file, const QuantisationPlan& plan, const QuantiseOptions& options,
                      const tensor::GgufSink& sink);

}  // namespace atelier::engine

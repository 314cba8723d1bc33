// The worker process's side of the worker protocol: dynamic batching over one Predictor, or one Generator, which
// batches itself.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/generation.h"
#include "serving/batch_options.h"
#include "serving/predictor.h"

namespace atelier::serving {

struct WorkerOptions {
  std::string socket_path;
  BatchOptions batch;
};

// Listens, loads the model (`load` may take long; until then calls get UNAVAILABLE), warms it up, serves until SIGTERM
// or Drain, finishes what is under way. Returns the process's exit status.
int RunWorker(const WorkerOptions& options, const std::function<Result<std::unique_ptr<Predictor>>()>& load);

// The same for a generative model.
int RunGenerativeWorker(const std::string& socket_path,
                        const std::function<Result<std::unique_ptr<engine::Generator>>()>& load);

}  // namespace atelier::serving

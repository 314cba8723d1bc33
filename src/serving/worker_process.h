// The life of a worker process, whatever it serves.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "serving/worker_base.h"

namespace atelier::serving {

// Listens, loads (`load` may take long and leaves the service ready), serves until SIGTERM or Drain, finishes what is
// under way. Called before the process has other threads, so that all inherit the blocked signals. Returns the
// process's exit status.
int RunWorkerProcess(const std::string& socket_path, WorkerBase& service, const std::function<Status()>& load);

}  // namespace atelier::serving

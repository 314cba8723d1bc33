// The gateway's side of the worker protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "atelier/worker.grpc.pb.h"
#include "base/result.h"
#include "serving/wire.h"

namespace atelier::serving {

struct WorkerHealth {
  uint64_t steps = 0;
  int queued = 0;
  int running = 0;
  bool draining = false;
  uint64_t resident_bytes = 0;
};

// Thread-safe. No call blocks; each `done` is called once, from a thread of gRPC, also when the client is gone by then.
// Errors are those of the worker, or kUnavailable "worker_crashed", kDeadlineExceeded.
class WorkerClient {
 public:
  explicit WorkerClient(const std::string& socket_path);

  void Describe(int64_t timeout_ms, std::function<void(Result<Signature>)> done);
  void Health(int64_t timeout_ms, std::function<void(Result<WorkerHealth>)> done);
  void Predict(pb::PredictRequest request, int64_t timeout_ms, std::function<void(Result<pb::PredictResponse>)> done);
  void Drain(int64_t timeout_ms, std::function<void(Status)> done);

 private:
  std::unique_ptr<pb::Worker::Stub> stub_;
};

}  // namespace atelier::serving

// What every worker process answers, whatever it serves, and where it listens.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "atelier/worker.grpc.pb.h"
#include "base/result.h"
#include "serving/wire.h"

namespace atelier::serving {

class WorkerBase : public pb::Worker::CallbackService {
 public:
  // Refuses new requests; `drained` is called once when none is under way, at once if no model was loaded.
  // Thread-safe.
  virtual void Drain(std::function<void()> drained) = 0;
  // Called after a Drain call was answered; set before the server starts.
  void OnDrained(std::function<void()> notify) { on_drained_ = std::move(notify); }

  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context, const pb::DrainRequest* request,
                                  pb::DrainResponse* response) final;

 private:
  std::function<void()> on_drained_;
};

Error ModelLoading();
uint64_t ResidentBytes();  // of this process

// Listens on a Unix socket that only this user may open. Errors: kInvalidArgument (path too long), kInternal.
Result<std::unique_ptr<grpc::Server>> Listen(const std::string& socket_path, WorkerBase& service);

}  // namespace atelier::serving

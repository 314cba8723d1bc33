// The worker protocol's server over one Predictor, without the process around it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "atelier/worker.grpc.pb.h"
#include "base/clock.h"
#include "base/result.h"
#include "serving/batcher.h"
#include "serving/wire.h"

namespace atelier::serving {

// Thread-safe, but for SetPredictor, which is called once.
class WorkerService final : public pb::Worker::CallbackService {
 public:
  WorkerService(BatchOptions options, Clock& clock);
  ~WorkerService() override;

  // From now on requests are answered.
  void SetPredictor(std::unique_ptr<Predictor> predictor);
  // Refuses new requests; `drained` is called once when none is under way, at once if no model was loaded.
  void Drain(std::function<void()> drained);
  // Called after a Drain call was answered; set before the server starts.
  void OnDrained(std::function<void()> notify) { on_drained_ = std::move(notify); }

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context, const pb::DescribeRequest* request,
                                     pb::DescribeResponse* response) override;
  grpc::ServerUnaryReactor* Health(grpc::CallbackServerContext* context, const pb::HealthRequest* request,
                                   pb::HealthResponse* response) override;
  grpc::ServerUnaryReactor* Predict(grpc::CallbackServerContext* context, const pb::PredictRequest* request,
                                    pb::PredictResponse* response) override;
  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context, const pb::DrainRequest* request,
                                  pb::DrainResponse* response) override;

 private:
  struct Loaded;
  class PredictCall;
  Status Admit(const grpc::CallbackServerContext& context, const pb::PredictRequest& request, PredictCall& call);

  BatchOptions options_;
  Clock& clock_;
  std::function<void()> on_drained_;
  std::unique_ptr<Loaded> loaded_;
  std::atomic<Loaded*> ready_{nullptr};
};

// Runs the model on zeros of the signature's shape, alone and as a full batch, so that the first request finds it
// warm. A model whose instances cannot be made up is left cold. Errors: what the model's Predict gives.
Status WarmUp(Predictor& predictor, int max_batch);

// Listens on a Unix socket that only this user may open. Errors: kInvalidArgument (path too long), kInternal.
Result<std::unique_ptr<grpc::Server>> Listen(const std::string& socket_path, WorkerService& service);

}  // namespace atelier::serving

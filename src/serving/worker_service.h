// The worker protocol's server over one Predictor, without the process around it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "serving/batcher.h"
#include "serving/wire.h"
#include "serving/worker_base.h"

namespace atelier::serving {

// Thread-safe, but for SetPredictor, which is called once.
class WorkerService final : public WorkerBase {
 public:
  WorkerService(BatchOptions options, Clock& clock);
  ~WorkerService() override;

  // From now on requests are answered.
  void SetPredictor(std::unique_ptr<Predictor> predictor);
  using WorkerBase::Drain;
  void Drain(std::function<void()> drained) override;

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context, const pb::DescribeRequest* request,
                                     pb::DescribeResponse* response) override;
  grpc::ServerUnaryReactor* Health(grpc::CallbackServerContext* context, const pb::HealthRequest* request,
                                   pb::HealthResponse* response) override;
  grpc::ServerUnaryReactor* Predict(grpc::CallbackServerContext* context, const pb::PredictRequest* request,
                                    pb::PredictResponse* response) override;

 private:
  struct Loaded;
  class PredictCall;
  Status Admit(const grpc::CallbackServerContext& context, const pb::PredictRequest& request, PredictCall& call);

  BatchOptions options_;
  Clock& clock_;
  std::unique_ptr<Loaded> loaded_;
  std::atomic<Loaded*> ready_{nullptr};
};

// Runs the model on zeros of the signature's shape, alone and as a full batch, so that the first request finds it
// warm. A model whose instances cannot be made up is left cold. Errors: what the model's Predict gives.
Status WarmUp(Predictor& predictor, int max_batch);

}  // namespace atelier::serving

#include "serving/worker_service.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "base/log.h"

namespace atelier::serving {
namespace {

constexpr int64_t kLongestWaitNs = int64_t{24} * 3600 * 1'000'000'000;

int64_t DeadlineNs(const grpc::CallbackServerContext& context, int64_t now_ns) {
  // Compared before it is converted: without a deadline the difference would overflow.
  const auto now = std::chrono::system_clock::now();
  const auto deadline = context.deadline();
  if (deadline > now + std::chrono::nanoseconds(kLongestWaitNs)) {
    return std::numeric_limits<int64_t>::max();
  }
  return now_ns + std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - now).count();
}

std::vector<Instance> MadeUp(const Signature& signature) {
  std::vector<Instance> out;
  if (!signature.inputs.empty() && !signature.inputs[0].shape.empty()) {
    Tensor zeros;
    size_t size = 1;
    for (size_t i = 1; i < signature.inputs[0].shape.size(); ++i) {
      zeros.shape.push_back(std::max<int64_t>(signature.inputs[0].shape[i], 1));
      size *= static_cast<size_t>(zeros.shape.back());
    }
    zeros.values.assign(size, 0.0F);
    out.emplace_back(std::move(zeros));
  }
  if (!signature.input_fields.empty()) {
    Record zeros;
    for (const std::string& field : signature.input_fields) {
      zeros.emplace(field, 0.0);
    }
    out.emplace_back(std::move(zeros));
  }
  return out;
}

}  // namespace

struct WorkerService::Loaded {
  Loaded(std::unique_ptr<Predictor> model, BatchOptions options, Clock& clock)
      : predictor(std::move(model)), batcher(*predictor, options, clock) {}

  std::unique_ptr<Predictor> predictor;
  Batcher batcher;  // after the predictor that it uses
};

// One call of Predict. Lives until gRPC has sent the answer.
class WorkerService::PredictCall final : public grpc::ServerUnaryReactor {
 public:
  explicit PredictCall(pb::PredictResponse& response) : response_(response) {}

  std::shared_ptr<const std::atomic<bool>> cancelled() const { return cancelled_; }

  void Answer(Result<BatchAnswer> result) {
    if (!result.ok()) {
      Finish(ToGrpc(result.error()));
      return;
    }
    for (auto& answer : result->answers) {
      ToWire(std::move(answer), *response_.add_predictions());
    }
    response_.set_queue_ns(static_cast<uint64_t>(std::max<int64_t>(result->queue_ns, 0)));
    response_.set_compute_ns(static_cast<uint64_t>(std::max<int64_t>(result->compute_ns, 0)));
    response_.set_batch_size(static_cast<uint32_t>(result->batch_size));
    Finish(grpc::Status::OK);
  }

  void OnCancel() override { cancelled_->store(true, std::memory_order_relaxed); }
  void OnDone() override { std::unique_ptr<PredictCall> self(this); }

 private:
  pb::PredictResponse& response_;
  // Shared with the queue, which may look at it when gRPC has already let go of the call.
  std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
};

WorkerService::WorkerService(BatchOptions options, Clock& clock) : options_(options), clock_(clock) {}

WorkerService::~WorkerService() = default;

void WorkerService::SetPredictor(std::unique_ptr<Predictor> predictor) {
  loaded_ = std::make_unique<Loaded>(std::move(predictor), options_, clock_);
  ready_.store(loaded_.get(), std::memory_order_release);
}

void WorkerService::Drain(std::function<void()> drained) {
  if (Loaded* loaded = ready_.load(std::memory_order_acquire)) {
    loaded->batcher.Drain(std::move(drained));
  } else {
    drained();
  }
}

grpc::ServerUnaryReactor* WorkerService::Describe(grpc::CallbackServerContext* context, const pb::DescribeRequest*,
                                                  pb::DescribeResponse* response) {
  auto* reactor = context->DefaultReactor();
  if (const Loaded* loaded = ready_.load(std::memory_order_acquire)) {
    *response = ToWire(loaded->predictor->signature());
    reactor->Finish(grpc::Status::OK);
  } else {
    reactor->Finish(ToGrpc(ModelLoading()));
  }
  return reactor;
}

grpc::ServerUnaryReactor* WorkerService::Health(grpc::CallbackServerContext* context, const pb::HealthRequest*,
                                                pb::HealthResponse* response) {
  if (const Loaded* loaded = ready_.load(std::memory_order_acquire)) {
    const Batcher::Stats stats = loaded->batcher.stats();
    response->set_steps(stats.steps);
    response->set_queued(static_cast<uint32_t>(stats.queued));
    response->set_running(static_cast<uint32_t>(stats.running));
    response->set_draining(stats.draining);
  }
  response->set_resident_bytes(ResidentBytes());
  auto* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* WorkerService::Predict(grpc::CallbackServerContext* context,
                                                 const pb::PredictRequest* request, pb::PredictResponse* response) {
  // gRPC's contract: it owns the reactor until OnDone, where the reactor frees itself.
  PredictCall* call = std::make_unique<PredictCall>(*response).release();
  if (Status status = Admit(*context, *request, *call); !status.ok()) {
    call->Finish(ToGrpc(status.error()));
  }
  return call;
}

Status WorkerService::Admit(const grpc::CallbackServerContext& context, const pb::PredictRequest& request,
                            PredictCall& call) {
  Loaded* loaded = ready_.load(std::memory_order_acquire);
  if (loaded == nullptr) {
    return ModelLoading();
  }
  if (request.instances_size() < 1 || request.instances_size() > kMaxInstances) {
    return InvalidArgument("a request has 1 to " + std::to_string(kMaxInstances) + " instances", "inputs");
  }
  BatchRequest batch;
  batch.deadline_ns = DeadlineNs(context, clock_.MonotonicNs());
  batch.cancelled = call.cancelled();
  batch.instances.reserve(static_cast<size_t>(request.instances_size()));
  for (const pb::Instance& wire : request.instances()) {
    ATELIER_ASSIGN(instance, FromWire(wire));
    auto prepared = loaded->predictor->Prepare(instance);
    if (!prepared.ok()) {
      Error error = std::move(prepared).error();
      if (error.param.empty()) {
        error.param = "inputs[" + std::to_string(batch.instances.size()) + "]";
      }
      return error;
    }
    batch.instances.push_back(std::move(prepared).value());
  }
  batch.done = [&call](Result<BatchAnswer> result) { call.Answer(std::move(result)); };
  return loaded->batcher.Submit(std::move(batch));
}

Status WarmUp(Predictor& predictor, int max_batch) {
  for (const Instance& instance : MadeUp(predictor.signature())) {
    auto prepared = predictor.Prepare(instance);
    if (!prepared.ok()) {
      continue;
    }
    const std::vector<const Prepared*> one(1, prepared->get());
    ATELIER_TRY(predictor.Predict(one));
    const std::vector<const Prepared*> full(static_cast<size_t>(max_batch), prepared->get());
    ATELIER_TRY(predictor.Predict(full));
    return {};
  }
  LogInfo("no instance could be made up; the model starts cold");
  return {};
}

}  // namespace atelier::serving

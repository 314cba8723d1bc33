#include "serving/manager.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <semaphore>
#include <set>
#include <thread>
#include <utility>

#include "base/guarded.h"
#include "base/log.h"
#include "serving/fleet.h"
#include "serving/model_folder.h"
#include "serving/pinned_model.h"
#include "serving/wire.h"

namespace atelier::serving {
namespace {

using Done = std::function<void(Result<PredictAnswer>)>;

constexpr auto kSteadyTick = std::chrono::milliseconds(100);
constexpr auto kBusyTick = std::chrono::milliseconds(20);
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kStopGraceMs = 5000;  // after the drain's time

// One request under way. Its lease keeps the worker from being drained; it gives back what it took at its end.
class Flight {
 public:
  Flight(std::shared_ptr<const Lease> lease, int instances, Clock& clock, Done done)
      : lease_(std::move(lease)),
        instances_(instances),
        clock_(clock),
        sent_ns_(clock.MonotonicNs()),
        done_(std::move(done)) {
    lease_->metrics->Begin();
  }

  const Lease& lease() const { return *lease_; }

  void Land(Result<pb::PredictResponse> response) {
    const int64_t worker_ns = clock_.MonotonicNs() - sent_ns_;
    lease_->endpoint->Release(instances_);
    auto answer = Read(std::move(response), worker_ns);
    if (!answer.ok()) {
      lease_->metrics->Failure(answer.error());
    }
    done_(std::move(answer));
  }

 private:
  Result<PredictAnswer> Read(Result<pb::PredictResponse> response, int64_t worker_ns) {
    if (!response.ok()) {
      Error error = std::move(response).error();
      if (error.reason == "worker_crashed") {
        lease_->endpoint->Suspect();
      }
      return error;
    }
    if (response->predictions_size() != instances_) {
      return Internal("the worker answered another number of instances");
    }
    PredictAnswer answer;
    answer.deployment = lease_->deployment;
    answer.model_name = lease_->model_name;
    answer.model_version = lease_->version;
    answer.signature = lease_->signature;
    answer.answers.reserve(static_cast<size_t>(instances_));
    for (const pb::Prediction& prediction : response->predictions()) {
      answer.answers.push_back(FromWire(prediction));
    }
    answer.worker_ns = worker_ns;
    answer.compute_ns = static_cast<int64_t>(response->compute_ns());
    answer.batch_size = static_cast<int>(response->batch_size());
    lease_->metrics->Success(instances_, {worker_ns, static_cast<int64_t>(response->queue_ns()), answer.compute_ns});
    return answer;
  }

  std::shared_ptr<const Lease> lease_;
  int instances_;
  Clock& clock_;
  int64_t sent_ns_;
  Done done_;
};

SupervisionLimits LimitsOf(const ManagerOptions& options) {
  SupervisionLimits limits;
  limits.stuck_after_ms = options.stuck_after_ms;
  limits.drain_ms = options.drain_ms;
  limits.first_back_off_ms = options.first_back_off_ms;
  limits.longest_back_off_ms = options.longest_back_off_ms;
  return limits;
}

class ManagerImpl final : public Manager {
 public:
  struct Parts {
    WishSource wishes;
    storage::BlobStore& blobs;
    Clock& clock;
    uint64_t seed;
    SocketFolder sockets;
  };

  ManagerImpl(Parts parts, ManagerOptions options)
      : wishes_(std::move(parts.wishes)),
        clock_(parts.clock),
        options_(std::move(options)),
        sockets_(std::move(parts.sockets)),
        launcher_({options_.data_dir, options_.program_dir, options_.threads, options_.speculation}, parts.blobs),
        shared_{
            clock_,          launcher_, sockets_, SeededRng(parts.seed, 1), LimitsOf(options_), options_.probe_every_ms,
            options_.metrics},
        pick_rng_(parts.seed, 2),
        fleet_(shared_, options_.batch) {}
  ~ManagerImpl() override { Stop(); }

  Status Begin();
  Status Reconcile() override;
  Result<DeploymentStatus> GetStatus(const std::string& name) override;
  std::vector<DeploymentStatus> All() override {
    return fleet_.With([](const Fleet& fleet) { return fleet.All(); });
  }
  void Predict(PredictRequest request, Done done) override;
  Result<std::shared_ptr<LanguageModel>> Pin(const std::string& model) override;
  void Stop() override;

 private:
  void Supervise();
  void Publish(const Fleet& fleet);
  Result<RoutedLease> Choose(const std::string& model);
  Result<std::shared_ptr<const Lease>> Admit(const PredictRequest& request);

  WishSource wishes_;
  Clock& clock_;
  ManagerOptions options_;
  SocketFolder sockets_;
  Launcher launcher_;
  Supervision shared_;
  Guarded<SeededRng> pick_rng_;
  std::mutex reconcile_mutex_;  // an older reading of the wishes never overtakes a newer one
  Guarded<Fleet> fleet_;
  // Shared with the requests that read it while it is replaced.
  Guarded<std::shared_ptr<const RouteTable>> routes_{std::make_shared<const RouteTable>()};
  std::atomic<bool> stopping_{false};
  std::once_flag stop_once_;
  std::counting_semaphore<> wake_{0};
  std::thread supervisor_;
};

Status ManagerImpl::Begin() {
  ATELIER_ASSIGN(wishes, wishes_());
  std::set<std::string> folders;
  for (const Wish& wish : wishes) {
    for (const auto& version : wish.versions) {
      folders.insert(ModelFolderName(version));
    }
    for (const auto& adapter : wish.adapters) {
      folders.insert(ModelFolderName(adapter));
    }
  }
  PruneModelFolders(ModelRoot(options_.data_dir), folders);
  fleet_.With([&](Fleet& fleet) {
    fleet.Follow(std::move(wishes));
    Publish(fleet);
  });
  supervisor_ = std::thread([this] { Supervise(); });
  return {};
}

Status ManagerImpl::Reconcile() {
  std::lock_guard lock(reconcile_mutex_);
  ATELIER_ASSIGN(wishes, wishes_());
  if (stopping_) {
    return Unavailable("the server is stopping", "stopping");
  }
  fleet_.With([&](Fleet& fleet) {
    fleet.Follow(std::move(wishes));
    Publish(fleet);
  });
  wake_.release();
  return {};
}

void ManagerImpl::Publish(const Fleet& fleet) {
  auto table = std::make_shared<const RouteTable>(fleet.Routes());
  // The old table goes outside the lock.
  routes_.With([&](auto& routes) { routes.swap(table); });
}

void ManagerImpl::Supervise() {
  std::optional<int64_t> give_up_ms;
  while (true) {
    bool steady = false;
    bool empty = false;
    fleet_.With([&](Fleet& fleet) {
      if (fleet.Tick()) {
        Publish(fleet);
      }
      steady = fleet.steady();
      empty = fleet.empty();
    });
    if (stopping_) {
      const int64_t now_ms = clock_.MonotonicNs() / kNsPerMs;
      give_up_ms = give_up_ms.value_or(now_ms + options_.drain_ms + kStopGraceMs);
      if (empty || now_ms >= *give_up_ms) {
        return;
      }
    }
    if (wake_.try_acquire_for(steady ? kSteadyTick : kBusyTick)) {
      while (wake_.try_acquire()) {
      }
    }
  }
}

Result<DeploymentStatus> ManagerImpl::GetStatus(const std::string& name) {
  auto status = fleet_.With([&](const Fleet& fleet) { return fleet.StatusOf(name); });
  if (!status) {
    return NotFound("The deployment '" + name + "' does not exist", "deployment_not_found");
  }
  return *std::move(status);
}

Result<RoutedLease> ManagerImpl::Choose(const std::string& model) {
  if (stopping_) {
    return Unavailable("the server is stopping", "stopping");
  }
  const auto table = routes_.With([](const auto& routes) { return routes; });
  const double uniform = pick_rng_.With([](SeededRng& rng) { return rng.Uniform(); });
  return table->Choose(model, uniform);
}

Result<std::shared_ptr<LanguageModel>> ManagerImpl::Pin(const std::string& model) {
  ATELIER_ASSIGN(chosen, Choose(model));
  if (!chosen.lease->signature->generative) {
    return InvalidArgument("The model '" + model + "' is not a language model", "model", "model_not_supported");
  }
  if (!chosen.adapter.empty()) {
    ATELIER_TRY(chosen.lease->endpoint->CheckAdapter(chosen.adapter));
  }
  const int64_t answer_ms = std::min(options_.predict_timeout_ms, engine::kLongestTimeoutMs);
  return PinModel(std::move(chosen), clock_, {options_.generate_timeout_ms, answer_ms});
}

Result<std::shared_ptr<const Lease>> ManagerImpl::Admit(const PredictRequest& request) {
  if (request.instances.empty() || request.instances.size() > static_cast<size_t>(kMaxInstances)) {
    return InvalidArgument("A request has 1 to " + std::to_string(kMaxInstances) + " inputs", "inputs");
  }
  if (request.timeout_ms.value_or(1) <= 0) {
    return MakeError(Code::kDeadlineExceeded, "The request's time ran out before it reached the model", "timeout");
  }
  ATELIER_ASSIGN(chosen, Choose(request.model));
  const auto lease = std::move(chosen.lease);
  if (lease->signature->generative) {
    return InvalidArgument("The model '" + request.model + "' is a language model: it does not predict", "model",
                           "model_not_supported");
  }
  if (!lease->endpoint->Reserve(static_cast<int>(request.instances.size()), lease->max_under_way)) {
    return Unavailable("The model '" + request.model + "' has too many requests under way", "overloaded");
  }
  return lease;
}

void ManagerImpl::Predict(PredictRequest request, Done done) {
  auto lease = Admit(request);
  if (!lease.ok()) {
    done(std::move(lease).error());
    return;
  }
  const int instances = static_cast<int>(request.instances.size());
  pb::PredictRequest message;
  message.set_request_id(std::move(request.request_id));
  message.mutable_instances()->Reserve(instances);
  for (Instance& instance : request.instances) {
    ToWire(std::move(instance), *message.add_instances());
  }
  // Shared with gRPC's callback, which std::function requires to be copyable.
  auto flight = std::make_shared<Flight>(std::move(lease).value(), instances, clock_, std::move(done));
  flight->lease().endpoint->client().Predict(
      std::move(message), std::min(request.timeout_ms.value_or(options_.predict_timeout_ms), engine::kLongestTimeoutMs),
      [flight](Result<pb::PredictResponse> response) { flight->Land(std::move(response)); });
}

void ManagerImpl::Stop() {
  std::call_once(stop_once_, [this] {
    {
      // Under the lock, so that no reconciliation brings workers back.
      std::lock_guard lock(reconcile_mutex_);
      stopping_ = true;
      fleet_.With([&](Fleet& fleet) {
        fleet.Follow({});
        Publish(fleet);
      });
    }
    wake_.release();
    if (supervisor_.joinable()) {
      supervisor_.join();
    }
    fleet_.With([](Fleet& fleet) { fleet.KillAll(); });
  });
}

}  // namespace

std::string_view Name(WorkerState state) {
  switch (state) {
    case WorkerState::kStarting:
      return "loading";
    case WorkerState::kReady:
      return "ready";
    case WorkerState::kFailed:
      return "failed";
    case WorkerState::kStopping:
      break;
  }
  return "stopping";
}

Result<std::unique_ptr<Manager>> StartManager(WishSource wishes, storage::BlobStore& blobs, Clock& clock, Rng& rng,
                                              ManagerOptions options) {
  ATELIER_ASSIGN(sockets, SocketFolder::Open(options.data_dir));
  uint64_t seed = 0;
  rng.Fill(std::as_writable_bytes(std::span(&seed, 1)));
  auto manager = std::make_unique<ManagerImpl>(
      ManagerImpl::Parts{std::move(wishes), blobs, clock, seed, std::move(sockets)}, std::move(options));
  ATELIER_TRY(manager->Begin());
  return std::unique_ptr<Manager>(std::move(manager));
}

}  // namespace atelier::serving

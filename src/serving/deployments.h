// From deployments that should exist to workers that answer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "registry/registry.h"
#include "serving/batch_options.h"
#include "serving/language_model.h"
#include "serving/predictor.h"
#include "storage/blob_store.h"

namespace atelier::serving {

struct PredictRequest {
  std::string request_id;
  // A deployment; or, of a model that some deployment serves: its name, "name@version", "name@alias" or "name@latest".
  std::string model;
  std::vector<Instance> instances;
  std::optional<int64_t> timeout_ms{};  // nothing: the manager's
};

struct PredictAnswer {
  std::string deployment;
  std::string model_name;
  int64_t model_version = 0;
  std::shared_ptr<const Signature> signature;  // shared: the deployment may be replaced while an answer is written
  std::vector<Answer> answers;                 // one an instance
  int64_t worker_ns = 0;                       // from sending to the worker until its answer
  int64_t compute_ns = 0;
  int batch_size = 0;
};

enum class WorkerState { kStarting, kReady, kFailed, kStopping };
std::string_view Name(WorkerState state);  // "loading" | "ready" | "failed" | "stopping"

struct WorkerStatus {
  int64_t version = 0;
  int weight = 0;
  WorkerState state = WorkerState::kStarting;
  int restarts = 0;
  std::string error;  // why it failed last
  int64_t pid = 0;
  uint64_t resident_bytes = 0;
  int queued = 0;
};

// An adapter over all workers of a deployment: failed where one could not load it, ready where all have.
struct AdapterStatus {
  std::string name;
  WorkerState state = WorkerState::kStarting;
  std::optional<Error> error{};
  int32_t rank = 0;
  int64_t bytes = 0;  // of each worker's memory
};

struct DeploymentStatus {
  registry::Deployment deployment;
  bool ready = false;  // every version with traffic has a ready worker
  std::vector<WorkerStatus> workers;
  std::vector<AdapterStatus> adapters{};       // in the order of deployment.adapters
  std::shared_ptr<const Signature> signature;  // nullptr until a worker was ready
};

struct ManagerOptions {
  std::filesystem::path data_dir;  // model folders are laid out under data_dir/cache/models, sockets under data_dir/run
  std::filesystem::path program_dir;
  int threads = 0;                 // for each worker; 0: all cores
  int64_t stuck_after_ms = 30000;  // a worker with work that makes no progress for so long is killed and restarted
  int64_t drain_ms = 30000;
  int64_t predict_timeout_ms = 60000;  // of a request that names none
  int64_t generate_timeout_ms = 1'800'000;
  int64_t probe_every_ms = 500;     // health of a ready worker
  int64_t first_back_off_ms = 200;  // before a restart; doubles with each failure in a row
  int64_t longest_back_off_ms = 30000;
  std::string speculation{};   // where a deployment's settings name none; empty: its worker decides
  BatchOptions batch;          // where a deployment's settings name nothing else
  Metrics* metrics = nullptr;  // borrowed, outlives the manager; nullptr: none are kept
};

// Thread-safe. Owns the worker processes: they end with it.
class Manager {
 public:
  // Reads the deployments from the registry and starts their workers.
  static Result<std::unique_ptr<Manager>> Start(registry::Registry& registry, storage::BlobStore& blobs, Clock& clock,
                                                Rng& rng, ManagerOptions options);
  virtual ~Manager() = default;

  // Makes the workers follow the registry: call it after each change of a deployment. Old workers drain.
  virtual Status Reconcile() = 0;
  virtual Result<DeploymentStatus> GetStatus(const std::string& name) = 0;
  virtual std::vector<DeploymentStatus> All() = 0;
  // Does not block: `done` is called once, from a thread of the manager, or before the return where the request does
  // not reach a worker. Never touches the catalogue or a disk.
  // Errors: kNotFound "model_not_found", kUnavailable "model_loading" (with retry_after_s) | "worker_crashed" |
  // "overloaded", kInvalidArgument (an instance does not fit; "model_not_supported": it generates), kDeadlineExceeded,
  // kResourceExhausted "queue_full".
  virtual void Predict(PredictRequest request, std::function<void(Result<PredictAnswer>)> done) = 0;
  // The generative model that `model` names, as in PredictRequest, chosen by weight; requests to it go to one worker.
  // Also "deployment:adapter", or the adapter's name alone where no deployment or model is called so: then all requests
  // get that adapter. Does not block. Errors: why the adapter could not be loaded; kNotFound "model_not_found",
  // kUnavailable "model_loading" (with retry_after_s), kInvalidArgument "model_not_supported" on `model` (it predicts).
  virtual Result<std::shared_ptr<LanguageModel>> Pin(const std::string& model) = 0;
  // Drains and ends all workers.
  virtual void Stop() = 0;
};

}  // namespace atelier::serving

// The one thread that lays out models and forks workers. The kernel kills a worker when the thread that forked it ends,
// so this thread lives as long as the manager.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "registry/registry.h"
#include "serving/batch_options.h"
#include "serving/generative_options.h"
#include "storage/blob_store.h"

namespace atelier::serving {

// One worker as it should run.
struct WorkerSpec {
  std::string deployment;
  registry::ModelVersion model;
  BatchOptions batch;                             // of predictors
  GenerativeOptions generative;                   // of generative models
  std::optional<registry::ModelVersion> draft{};  // the same: drafts for it
};

struct LauncherOptions {
  std::filesystem::path data_dir;
  std::filesystem::path program_dir;
  int threads = 0;            // for each worker; 0: it decides itself
  std::string speculation{};  // of deployments that do not say; empty: the worker decides
};

std::filesystem::path ModelRoot(const std::filesystem::path& data_dir);
std::filesystem::path LogOf(const std::filesystem::path& data_dir, const WorkerSpec& spec);

// Thread-safe. Borrows the store.
class Launcher {
 public:
  Launcher(LauncherOptions options, storage::BlobStore& blobs);
  ~Launcher();
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  // The process's id, or why there is none. Does not block.
  std::future<Result<pid_t>> Launch(WorkerSpec spec, std::string socket_path);
  // The folder of a model version for the workers' use; as LayOutModel. Does not block.
  std::future<Result<std::filesystem::path>> LayOut(registry::ModelVersion version);
  const LauncherOptions& options() const { return options_; }

 private:
  template <class Value, class Work>
  std::future<Result<Value>> Add(Work work);
  void Loop();
  Result<pid_t> Start(const WorkerSpec& spec, const std::string& socket_path);

  LauncherOptions options_;
  storage::BlobStore& blobs_;
  std::mutex mutex_;  // not Guarded<T>: the condition variable needs it
  std::condition_variable wake_;
  std::deque<std::packaged_task<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace atelier::serving

#include "serving/launcher.h"

#include <unistd.h>

#include <utility>

#include "base/process.h"
#include "serving/model_folder.h"
#include "serving/programs.h"
#include "serving/spawn.h"

namespace atelier::serving {

std::filesystem::path ModelRoot(const std::filesystem::path& data_dir) { return data_dir / "cache" / "models"; }

std::filesystem::path LogOf(const std::filesystem::path& data_dir, const WorkerSpec& spec) {
  return data_dir / "logs" / ("worker-" + spec.deployment + "-" + std::to_string(spec.model.version) + ".log");
}

Launcher::Launcher(LauncherOptions options, storage::BlobStore& blobs)
    : options_(std::move(options)), blobs_(blobs), thread_([this] { Loop(); }) {}

Launcher::~Launcher() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

template <class Value, class Work>
std::future<Result<Value>> Launcher::Add(Work work) {
  std::packaged_task<Result<Value>()> task(std::move(work));
  auto future = task.get_future();
  {
    std::lock_guard lock(mutex_);
    tasks_.emplace_back(std::move(task));
  }
  wake_.notify_one();
  return future;
}

std::future<Result<pid_t>> Launcher::Launch(WorkerSpec spec, std::string socket_path) {
  return Add<pid_t>(
      [this, spec = std::move(spec), socket_path = std::move(socket_path)] { return Start(spec, socket_path); });
}

std::future<Result<std::filesystem::path>> Launcher::LayOut(registry::ModelVersion version) {
  return Add<std::filesystem::path>(
      [this, version = std::move(version)] { return LayOutModel(blobs_, ModelRoot(options_.data_dir), version); });
}

void Launcher::Loop() {
  while (true) {
    std::packaged_task<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) {
        return;
      }
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

Result<pid_t> Launcher::Start(const WorkerSpec& spec, const std::string& socket_path) {
  ATELIER_ASSIGN(folder, LayOutModel(blobs_, ModelRoot(options_.data_dir), spec.model));
  ATELIER_ASSIGN(log, OpenWorkerLog(LogOf(options_.data_dir, spec)));
  ProcessPlan plan;
  const WorkerProgram& program = ProgramOf(spec.model);
  plan.program = options_.program_dir / program.name;
  plan.arguments = program.arguments(spec);
  for (const std::string& argument : {std::string("--model"), folder.string(), std::string("--socket"), socket_path}) {
    plan.arguments.push_back(argument);
  }
  if (spec.draft) {
    ATELIER_ASSIGN(draft, LayOutModel(blobs_, ModelRoot(options_.data_dir), *spec.draft));
    plan.arguments.insert(plan.arguments.end(), {"--draft", draft.string()});
  }
  if (!options_.speculation.empty()) {
    plan.environment["ATELIER_SPECULATION"] = options_.speculation;
  }
  if (options_.threads > 0) {
    plan.environment["ATELIER_THREADS"] = std::to_string(options_.threads);
  }
  plan.descriptors = {{STDOUT_FILENO, log.get()}, {STDERR_FILENO, log.get()}};
  return StartProcess(plan);
}

}  // namespace atelier::serving

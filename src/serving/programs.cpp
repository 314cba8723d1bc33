#include "serving/programs.h"

#include <algorithm>

#include "base/json.h"
#include "serving/wire.h"

namespace atelier::serving {
namespace {

std::vector<std::string> PredictorArguments(const WorkerSpec& spec) {
  return {"worker",
          "--max-batch",
          std::to_string(spec.batch.max_batch),
          "--max-delay-us",
          std::to_string(spec.batch.max_delay_us),
          "--max-queue",
          std::to_string(spec.batch.max_queue)};
}

// What the worker queues, the batches it computes and hands over, and one request of the largest size.
int PredictorLimit(const WorkerSpec& spec) { return spec.batch.max_queue + 4 * spec.batch.max_batch + kMaxInstances; }

std::vector<std::string> GenerativeArguments(const WorkerSpec& spec) {
  std::vector<std::string> arguments{"worker", "llm"};
  for (const GenerativeSetting& setting : kGenerativeSettings) {
    if (const int64_t value = spec.generative.*setting.member; value > 0) {
      std::string flag = "--" + std::string(setting.name);
      std::replace(flag.begin(), flag.end(), '_', '-');
      arguments.push_back(std::move(flag));
      arguments.push_back(std::to_string(value));
    }
  }
  if (!spec.generative.speculation.empty()) {
    arguments.insert(arguments.end(), {"--speculation", spec.generative.speculation});
  }
  return arguments;
}

// The worker itself refuses what it cannot queue; this only bounds what is on the way to it.
int GenerativeLimit(const WorkerSpec& spec) {
  constexpr int64_t kOnTheWay = 4096;
  return static_cast<int>(spec.generative.max_queue + spec.generative.max_running + kOnTheWay);
}

constexpr WorkerProgram kPrograms[] = {
    {kGenerativeFamily, "atelier", GenerativeArguments, GenerativeLimit},
    {"", "atelier-torch", PredictorArguments, PredictorLimit},
};

}  // namespace

const WorkerProgram& ProgramOf(const registry::ModelVersion& model) {
  const std::string family = GetString(model.metadata, "family");
  return *std::ranges::find_if(
      kPrograms, [&](const WorkerProgram& program) { return program.family.empty() || program.family == family; });
}

}  // namespace atelier::serving

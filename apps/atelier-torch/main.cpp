// What needs LibTorch or OpenCV: workers of deployed models, and the jobs that read pictures, train and evaluate.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>

#include "base/json.h"
#include "base/processors.h"
#include "common/data_jobs.h"
#include "data/images/formats.h"
#include "data/images/media_tools.h"
#include "families/predictor.h"
#include "jobs/host.h"
#include "learning/jobs.h"
#include "predictor_adapter.h"
#include "serving/worker_host.h"

namespace {

using namespace atelier;

// ATELIER_THREADS, or all cores.
int Threads() {
  const char* text = std::getenv("ATELIER_THREADS");
  const int asked = text == nullptr ? 0 : std::atoi(text);
  return asked > 0 ? asked : static_cast<int>(UsableProcessors());
}

using LearningJob = Result<json::object> (*)(const learning::JobContext&);

jobs::Body LearningBody(LearningJob job) {
  return [job](jobs::Host& host) {
    learning::JobContext context{
        .spec = host.spec(),
        .directory = host.directory(),
        .threads = host.threads(),
        .cancelled = [&host] { return host.cancelled(); },
        .progress = [&host](json::object data) { host.Progress(std::move(data)); },
        .message = [&host](std::string_view level, std::string_view text) { host.Message(level, text); }};
    return job(context);
  };
}

Result<jobs::Body> FindBody(const std::string& kind) {
  if (kind == "train" || kind == "trial") {
    return LearningBody(learning::TrainJob);
  }
  if (kind == "evaluate") {
    return LearningBody(learning::EvaluateJob);
  }
  return apps::DataJobBody(kind, data::AllFormats(), &data::AllMediaTools());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Workers and jobs of Atelier; started by the gateway"};
  app.require_subcommand(1);

  std::string id;
  std::string directory;
  auto* job = app.add_subcommand("job", "One job");
  job->add_option("id", id)->required();
  job->add_option("--dir", directory)->required();

  std::string model;
  serving::WorkerOptions options;
  auto* worker = app.add_subcommand("worker", "One model version that answers");
  worker->add_option("--model", model, "The model's folder")->required();
  worker->add_option("--socket", options.socket_path)->required();
  worker->add_option("--max-batch", options.batch.max_batch);
  worker->add_option("--max-delay-us", options.batch.max_delay_us);
  worker->add_option("--max-queue", options.batch.max_queue);

  CLI11_PARSE(app, argc, argv);
  if (job->parsed()) {
    return jobs::RunJob(directory, FindBody);
  }
  return serving::RunWorker(options, [&]() -> Result<std::unique_ptr<serving::Predictor>> {
    ATELIER_ASSIGN(predictor, families::Predictor::Open(model, Threads()));
    return apps::Adapt(std::move(predictor));
  });
}

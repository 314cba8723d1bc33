// One program: the gateway (`serve`), workers of language models (`worker llm`), light jobs (`job`), and otherwise a
// client of the REST API.
#include <string_view>

#include "cli/cli.h"
#include "common/data_jobs.h"
#include "import_model.h"
#include "jobs/host.h"
#include "language_worker.h"
#include "pull_model.h"
#include "quantize_model.h"
#include "serve.h"
#include "train_tagger.h"

namespace {

// `job ID --dir DIR`, as the gateway starts it.
int RunJobProcess(int argc, char** argv) {
  const auto find = [](const std::string& kind) -> atelier::Result<atelier::jobs::Body> {
    if (kind == "import_model") {
      return atelier::jobs::Body(atelier::apps::ImportModelJob);
    }
    if (kind == "quantize_model") {
      return atelier::jobs::Body(atelier::apps::QuantizeModelJob);
    }
    if (kind == "pull_model") {
      return atelier::jobs::Body(atelier::apps::PullModelJob);
    }
    if (kind == "train_tagger") {
      return atelier::jobs::Body(atelier::apps::TrainTaggerJob);
    }
    return atelier::apps::DataJobBody(kind, atelier::data::TabularFormats());
  };
  return argc == 5 && std::string_view(argv[3]) == "--dir" ? atelier::jobs::RunJob(argv[4], find) : 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  // `atelier job list` and the like belong to the command line; only `job ID --dir DIR` is the gateway's call.
  if (command == "serve") {
    return atelier::apps::Serve(argc - 1, argv + 1);
  }
  if (command == "worker" && argc > 2 && std::string_view(argv[2]) == "llm") {
    return atelier::apps::RunLanguageWorker(argc - 2, argv + 2);
  }
  if (command == "job" && argc == 5 && std::string_view(argv[3]) == "--dir") {
    return RunJobProcess(argc, argv);
  }
  return atelier::cli::Run(argc, argv);
}

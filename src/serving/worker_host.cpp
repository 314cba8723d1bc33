#include "serving/worker_host.h"

#include <utility>

#include "base/clock.h"
#include "serving/generative_service.h"
#include "serving/worker_process.h"
#include "serving/worker_service.h"

namespace atelier::serving {

int RunWorker(const WorkerOptions& options, const std::function<Result<std::unique_ptr<Predictor>>()>& load) {
  SystemClock clock;
  WorkerService service(options.batch, clock);
  return RunWorkerProcess(options.socket_path, service, [&]() -> Status {
    ATELIER_ASSIGN(predictor, load());
    ATELIER_TRY(WarmUp(*predictor, options.batch.max_batch));
    service.SetPredictor(std::move(predictor));
    return {};
  });
}

int RunGenerativeWorker(const std::string& socket_path,
                        const std::function<Result<std::unique_ptr<engine::Generator>>()>& load) {
  GenerativeService service;
  return RunWorkerProcess(socket_path, service, [&]() -> Status {
    ATELIER_ASSIGN(generator, load());
    service.SetGenerator(std::move(generator));
    return {};
  });
}

}  // namespace atelier::serving

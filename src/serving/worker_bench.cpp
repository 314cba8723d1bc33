// The round trip of one instance over the Unix socket to a model that computes nothing: what the protocol costs.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>

#include "serving/testing/fake_predictor.h"
#include "serving/worker_client.h"
#include "serving/worker_service.h"

namespace atelier::serving {
namespace {

using Send = std::function<void(WorkerClient&, std::promise<bool>&)>;

void Measure(benchmark::State& state, const Send& send) {
  const testing::TempDir dir;
  const std::string socket = (dir.path() / "w.sock").string();
  SystemClock clock;
  WorkerService service({}, clock);
  service.SetPredictor(std::make_unique<testing::FakePredictor>(testing::FakeBehaviour{}));
  auto server = Listen(socket, service);
  if (!server.ok()) {
    state.SkipWithError(server.error().message.c_str());
    return;
  }
  WorkerClient client(socket);
  std::vector<double> micros;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    std::promise<bool> answered;
    send(client, answered);
    if (!answered.get_future().get()) {
      state.SkipWithError("no answer");
      break;
    }
    micros.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(micros.begin(), micros.end());
  if (!micros.empty()) {
    state.counters["p50_us"] = micros[micros.size() / 2];
    state.counters["p99_us"] = micros[micros.size() * 99 / 100];
  }
  (*server)->Shutdown(std::chrono::system_clock::now());
}

void Predict(benchmark::State& state) {
  Measure(state, [](WorkerClient& client, std::promise<bool>& answered) {
    pb::PredictRequest request;
    ToWire(testing::Pair(1, 2), *request.add_instances());
    client.Predict(std::move(request), 10000,
                   [&](Result<pb::PredictResponse> response) { answered.set_value(response.ok()); });
  });
}
BENCHMARK(Predict)->UseRealTime();

// Without a queue and a compute thread: gRPC's share.
void Health(benchmark::State& state) {
  Measure(state, [](WorkerClient& client, std::promise<bool>& answered) {
    client.Health(10000, [&](Result<WorkerHealth> health) { answered.set_value(health.ok()); });
  });
}
BENCHMARK(Health)->UseRealTime();

}  // namespace
}  // namespace atelier::serving

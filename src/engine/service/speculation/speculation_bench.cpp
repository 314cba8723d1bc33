// One stream's answer to a prompt that repeats itself, with drafts and without: of stories260K, or of the GGUF file of
// ATELIER_BENCH_MODEL with the threads of ATELIER_THREADS. Small models hardly copy their prompt; those of random
// weights fall into loops, which are repetition, too.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <future>

#include "base/testing/shared_data.h"
#include "engine/formats/llama2c.h"
#include "engine/service/generator.h"

namespace atelier::engine {
namespace {

constexpr int32_t kAnswerTokens = 200;

class Sink final : public GenerationSink {
 public:
  void OnDeltas(std::vector<GenerationDelta> deltas) override { benchmark::DoNotOptimize(deltas); }
  void OnDone(Status /*status*/, const GenerationUsage& usage) override { usage_.set_value(usage); }
  GenerationUsage Wait() { return usage_.get_future().get(); }

 private:
  std::promise<GenerationUsage> usage_;
};

Result<ModelFiles> Files() {
  if (const char* model = std::getenv("ATELIER_BENCH_MODEL"); model != nullptr) {
    return ReadModelFiles(model);
  }
  const auto folder = SharedData() / "weights" / "llama2c_stories260K";
  ATELIER_ASSIGN(file, ReadLlama2c(folder / "stories260K.bin", folder / "tok512.bin"));
  return ModelFilesOf(std::move(file));
}

Result<std::unique_ptr<Generator>> Open(SpeculationMode mode, Clock& clock) {
  GeneratorOptions options;
  const char* threads = std::getenv("ATELIER_THREADS");
  options.threads = threads != nullptr ? std::strtoul(threads, nullptr, 10) : 1;
  options.speculation = mode;
  ATELIER_ASSIGN(files, Files());
  return MakeGenerator(std::move(files), options, clock);
}

GenerationUsage Answer(Generator& generator) {
  const std::string story = "Lily and Tom went to the park. They saw a big red ball. Lily said, \"I want the ball.\" ";
  GenerationRequest request;
  request.prompt = TextPrompt{story + story + "Lily and Tom"};
  request.max_tokens = kAnswerTokens;
  request.sampling.temperature = 0;
  request.sampling.ignore_eos = true;
  auto sink = std::make_shared<Sink>();
  generator.Generate(std::move(request), sink);
  return sink->Wait();
}

void RepeatingPrompt(benchmark::State& state) {
  SystemClock clock;
  const auto generator = Open(static_cast<SpeculationMode>(state.range(0)), clock);
  if (!generator.ok()) {
    state.SkipWithError(generator.error().message.c_str());
    return;
  }
  Answer(**generator);
  double decode_ns = 0;
  GenerationUsage usage;
  for (auto _ : state) {
    usage = Answer(**generator);
    decode_ns += static_cast<double>(usage.decode_ns);
  }
  state.counters["tokens/s"] = (kAnswerTokens - 1) * static_cast<double>(state.iterations()) / (decode_ns * 1e-9);
  state.counters["drafted"] = usage.draft_tokens;
  state.counters["accepted"] = usage.accepted_draft_tokens;
}
BENCHMARK(RepeatingPrompt)
    ->Arg(static_cast<int>(SpeculationMode::kOff))
    ->Arg(static_cast<int>(SpeculationMode::kAuto))
    ->Arg(static_cast<int>(SpeculationMode::kLookup))
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace atelier::engine

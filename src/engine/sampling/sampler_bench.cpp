// One token from the logits of a vocabulary of 152,000 tokens.
#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "engine/sampling/sampler.h"

namespace atelier::engine {
namespace {

constexpr size_t kVocabulary = 152000;

void Run(benchmark::State& state, const SamplingOptions& options) {
  SeededRng rng(1);
  std::vector<float> logits(kVocabulary);
  for (float& logit : logits) {
    double sum = 0;
    for (int i = 0; i < 12; ++i) {
      sum += rng.Uniform();
    }
    logit = static_cast<float>((sum - 6) * 3);
  }
  std::vector<int32_t> history(1000);
  for (int32_t& token : history) {
    token = static_cast<int32_t>(rng.Below(kVocabulary));
  }
  Sampler sampler;
  for (auto _ : state) {
    auto token = sampler.Sample(options, {.logits = logits, .history = history});
    benchmark::DoNotOptimize(token);
  }
}

void Greedy(benchmark::State& state) { Run(state, {.temperature = 0}); }
void Temperature(benchmark::State& state) { Run(state, {}); }
void TopK(benchmark::State& state) { Run(state, {.top_k = 40}); }
void TopP(benchmark::State& state) { Run(state, {.top_p = 0.9F}); }
void Usual(benchmark::State& state) {
  Run(state, {.top_k = 40, .top_p = 0.9F, .min_p = 0.05F, .repetition_penalty = 1.1F});
}
void WithLogprobs(benchmark::State& state) { Run(state, {.temperature = 0, .top_logprobs = 20}); }

BENCHMARK(Greedy)->Unit(benchmark::kMicrosecond);
BENCHMARK(Temperature)->Unit(benchmark::kMicrosecond);
BENCHMARK(TopK)->Unit(benchmark::kMicrosecond);
BENCHMARK(TopP)->Unit(benchmark::kMicrosecond);
BENCHMARK(Usual)->Unit(benchmark::kMicrosecond);
BENCHMARK(WithLogprobs)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace atelier::engine

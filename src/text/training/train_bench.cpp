// Learning a vocabulary from tinyshakespeare; `bytes` are those of the text.
#include <benchmark/benchmark.h>

#include "base/testing/shared_data.h"
#include "text/testing/test_files.h"
#include "text/training/train.h"

namespace atelier::text {
namespace {

void BM_TrainTokenizer(benchmark::State& state) {
  const std::string text = testing::Slurp(SharedData() / "lm" / "tinyshakespeare" / "input.txt");
  if (text.empty()) {
    state.SkipWithError("no shared data");
    return;
  }
  const auto algorithm = static_cast<TokenizerAlgorithm>(state.range(0));
  const TokenizerTraining options{.algorithm = algorithm, .vocabulary_size = 8000, .special = UsualSpecials(algorithm)};
  for (auto _ : state) {
    auto trained = TrainTokenizer([&](const auto& each) { return each(text); }, options);
    benchmark::DoNotOptimize(trained.ok());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(BM_TrainTokenizer)->DenseRange(0, 4)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace atelier::text

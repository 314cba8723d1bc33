// Samples per second of whole training steps, data loading included, on synthetic pictures of MNIST's size.
#include <benchmark/benchmark.h>

#include "families/testing/tiny_data.h"
#include "learning/trainer.h"

namespace atelier::learning {
namespace {

namespace tiny = families::testing;

data::Manifest AddPictures(tiny::TinyStore& store, int64_t rows) {
  constexpr int64_t kPixels = 28 * 28;
  SeededRng rng(1);
  std::vector<uint8_t> pixels(static_cast<size_t>(rows * kPixels));
  for (auto& pixel : pixels) {
    pixel = static_cast<uint8_t>(rng.Below(256));
  }
  std::vector<int32_t> labels(static_cast<size_t>(rows));
  for (auto& label : labels) {
    label = static_cast<int32_t>(rng.Below(10));
  }
  const std::vector<std::string> names{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  return store.Add({tiny::Images("image", {1, 28, 28}, std::move(pixels)), tiny::Categories("label", names, labels)},
                   data::Task::kClassification, std::vector<uint8_t>(static_cast<size_t>(rows), 0));
}

void TrainPictures(benchmark::State& state, const char* family, int64_t rows) {
  tiny::TinyStore store;
  const auto manifest = AddPictures(store, rows);
  const auto reader = store.Read(manifest);
  const auto settings = MakeTrainSettings(family, {{"epochs", 1}}, manifest).value();
  const auto* entry = families::FindEntry(family).value();
  const TrainOptions options{.settings = TrainSettingsOf(settings), .threads = static_cast<int>(state.range(0))};
  for (auto unused : state) {
    (void)unused;
    state.PauseTiming();
    const auto learner = entry
                             ->learn({.family = family,
                                      .settings = settings,
                                      .reader = *reader,
                                      .rows = {reader->Rows(data::Split::kTrain), {}}})
                             .value();
    state.ResumeTiming();
    if (!Train(*learner, options).ok()) {
      state.SkipWithError("the training failed");
    }
  }
  state.SetItemsProcessed(state.iterations() * rows);
}

BENCHMARK_CAPTURE(TrainPictures, mlp_784_128_128_10, "mlp", 30000)
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK_CAPTURE(TrainPictures, cnn_32_64_64_10, "cnn", 2560)
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

}  // namespace
}  // namespace atelier::learning

// Samples per second of whole training steps, data loading included, on synthetic pictures of MNIST's size.
#include <benchmark/benchmark.h>

#include "learning/trainer.h"

namespace atelier::learning {
namespace {

void TrainPictures(benchmark::State& state, const char* family, int64_t rows) {
  constexpr int64_t kSide = 28;
  data::Manifest manifest;
  data::Column image;
  image.name = "image";
  image.type = data::ColumnType::kImage;
  image.shape = {1, kSide, kSide};
  data::Column label;
  label.name = "label";
  label.type = data::ColumnType::kCategory;
  for (int i = 0; i < 10; ++i) {
    label.categories.push_back(std::to_string(i));
  }
  manifest.columns = {image, label};
  manifest.target = "label";
  manifest.task = data::Task::kClassification;
  manifest.split_rows[0] = rows;

  torch::manual_seed(1);
  families::Samples samples;
  samples.inputs = torch::randint(256, {rows, 1, kSide, kSide}, torch::kUInt8);
  samples.targets = torch::randint(10, {rows}, torch::kInt64);
  TrainOptions options{.settings = TrainSettingsFromJson(family, {{"epochs", 1}}).value(),
                       .threads = static_cast<int>(state.range(0))};
  for (auto unused : state) {
    (void)unused;
    state.PauseTiming();
    families::Model model;
    model.config = MakeModelConfig(family, options.settings, manifest).value();
    model.preprocessor = families::MakePreprocessor(manifest, model.config).value();
    model.network = families::BuildNetwork(model.config, 1).value();
    state.ResumeTiming();
    if (!Train(model, samples, {}, options).ok()) {
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

// Products of packed weights with rounded activations: a matrix that does not fit the second-level cache, one input and
// many.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "tensor/packed/pack.h"
#include "tensor/packed/packed_kernels.h"
#include "tensor/quants/formats.h"

namespace atelier::tensor {
namespace {

constexpr size_t kRows = 4096;
constexpr size_t kColumns = 2048;

void Multiply(benchmark::State& state) {
  const PackedFormat& format = kPackedFormats[state.range(0)];
  const auto count = static_cast<size_t>(state.range(1));
  const PackedKernels& kernels = BestPackedKernels();
  std::vector<std::byte> panels(kRows / kernels.panel_rows * format.panel_bytes(kernels.panel_rows, kColumns));
  std::mt19937 random(1);
  for (std::byte& byte : panels) {
    byte = static_cast<std::byte>(random() & 0x3B);  // no scale is infinite
  }
  const std::vector<float> values(count * kColumns, 0.5F);
  std::vector<ActivationBlock> inputs(count * kColumns / kCellColumns);
  std::vector<float> outputs(count * kRows);
  kernels.round(values.data(), inputs.size(), inputs.data());
  for (auto _ : state) {
    kernels.multiply[state.range(0)]({.panels = panels.data(),
                                      .rows = kRows,
                                      .cells = kColumns / kCellColumns,
                                      .inputs = inputs.data(),
                                      .count = count,
                                      .outputs = outputs.data(),
                                      .output_stride = kRows});
    benchmark::DoNotOptimize(outputs.data());
  }
  state.SetLabel(std::string(FormatOf(format.type).name) + " " + std::string(kernels.name));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * panels.size()));
  state.counters["products/s"] =
      benchmark::Counter(static_cast<double>(count * kRows * kColumns), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(Multiply)->ArgsProduct({benchmark::CreateDenseRange(0, std::size(kPackedFormats) - 1, 1), {1, 4, 64}});

}  // namespace
}  // namespace atelier::tensor

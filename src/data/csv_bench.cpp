#include <benchmark/benchmark.h>

#include <string>

#include "data/formats/cells.h"
#include "data/formats/csv_reader.h"

namespace atelier::data {
namespace {

std::string Table(bool quoted) {
  std::string out;
  for (int i = 0; i < 20000; ++i) {
    const std::string n = std::to_string(i % 977) + "." + std::to_string(i % 13);
    out += quoted ? "\"" + n + "\",\"a \"\"word\"\"\",\"x,y\",\"" + n + "\"\n" : n + "," + n + ",word," + n + "\n";
  }
  return out;
}

void ReadRows(benchmark::State& state) {
  const std::string text = Table(state.range(0) == 1);
  for (auto _ : state) {
    std::string_view rest = text;
    CsvReader reader(
        [&]() -> Result<std::string_view> {
          const std::string_view piece = rest.substr(0, 65536);
          rest.remove_prefix(piece.size());
          return piece;
        },
        ',', "bench.csv");
    CsvRow row;
    int64_t fields = 0;
    while (true) {
      const auto more = reader.Next(row);
      if (!more.ok() || !*more) {
        break;
      }
      fields += static_cast<int64_t>(row.size());
    }
    benchmark::DoNotOptimize(fields);
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(text.size()));
}
BENCHMARK(ReadRows)->Arg(0)->Arg(1)->ArgName("quoted");

void ParseNumbers(benchmark::State& state) {
  for (auto _ : state) {
    double value = 0;
    benchmark::DoNotOptimize(ParseNumber("-1234.56789", value));
    benchmark::DoNotOptimize(value);
  }
}
BENCHMARK(ParseNumbers);

}  // namespace
}  // namespace atelier::data

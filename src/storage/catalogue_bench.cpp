// Durable writes a second. With more threads the group commit shares each fsync.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <string>

#include "storage/catalogue.h"
#include "storage/test_folder.h"

namespace atelier::storage {
namespace {

constexpr std::array<Migration, 1> kMigrations{
    {{"bench", 1, "CREATE TABLE rows (id BIGINT NOT NULL PRIMARY KEY, text TEXT NOT NULL);"}}};

// One catalogue for all threads and cases of this program.
Catalogue& Shared() {
  static const TestFolder folder;
  static const std::unique_ptr<Catalogue> catalogue = OpenSqliteCatalogue(folder / "bench.db", kMigrations).value();
  return *catalogue;
}

void BM_CatalogueWrite(benchmark::State& state) {
  static std::atomic<int64_t> next = 0;
  Catalogue& catalogue = Shared();
  const std::string text(200, 'x');
  for (auto _ : state) {
    const int64_t id = next++;
    const Status status = catalogue.Write([&](soci::session& session) -> Status {
      session << "INSERT INTO rows (id, text) VALUES (:id, :text)", soci::use(id), soci::use(text);
      return {};
    });
    if (!status.ok()) {
      state.SkipWithError(status.error().message.c_str());
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_CatalogueWrite)->Threads(1)->Threads(16)->UseRealTime();

void BM_CatalogueRead(benchmark::State& state) {
  Catalogue& catalogue = Shared();
  for (auto _ : state) {
    int64_t count = 0;
    const Status status = catalogue.Read([&](soci::session& session) -> Status {
      session << "SELECT COALESCE(MAX(id), 0) FROM rows", soci::into(count);
      return {};
    });
    if (!status.ok()) {
      state.SkipWithError(status.error().message.c_str());
    }
    benchmark::DoNotOptimize(count);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_CatalogueRead)->Threads(1)->Threads(4)->UseRealTime();

}  // namespace
}  // namespace atelier::storage

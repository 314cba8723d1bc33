// Blobs written durably and read back, by size.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <vector>

#include "storage/blob_store.h"
#include "storage/test_folder.h"

namespace atelier::storage {
namespace {

void BM_BlobPut(benchmark::State& state) {
  const TestFolder folder;
  const auto store = OpenFolderBlobStore(folder / "blobs").value();
  std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  uint64_t round = 0;
  for (auto _ : state) {
    std::memcpy(bytes.data(), &++round, sizeof round);
    if (!PutBytes(*store, bytes).ok()) {
      state.SkipWithError("put failed");
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_BlobPut)->Arg(4 << 10)->Arg(1 << 20)->Arg(16 << 20)->UseRealTime();

void BM_BlobRead(benchmark::State& state) {
  const TestFolder folder;
  const auto store = OpenFolderBlobStore(folder / "blobs").value();
  const auto blob = *PutBytes(*store, std::string(static_cast<size_t>(state.range(0)), 'x'));
  std::vector<std::byte> buffer(256U << 10U);
  for (auto _ : state) {
    auto reader = store->Open(blob.sha256).value();
    while (*reader->Read(buffer) > 0) {
    }
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_BlobRead)->Arg(4 << 10)->Arg(16 << 20)->UseRealTime();

// The first read of a process: it verifies the bytes against the name.
void BM_BlobFirstRead(benchmark::State& state) {
  const TestFolder folder;
  const auto blob =
      *PutBytes(*OpenFolderBlobStore(folder / "blobs").value(), std::string(static_cast<size_t>(state.range(0)), 'x'));
  for (auto _ : state) {
    const auto store = OpenFolderBlobStore(folder / "blobs").value();
    benchmark::DoNotOptimize(store->Open(blob.sha256).ok());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_BlobFirstRead)->Arg(16 << 20)->UseRealTime();

}  // namespace
}  // namespace atelier::storage

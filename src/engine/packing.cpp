#include "engine/packing.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "tensor/packed/pack.h"
#include "tensor/packed/packed_kernels.h"

namespace atelier::engine {
namespace {

constexpr size_t kHugePage = 2U << 20U;
constexpr size_t kAlignment = 64;  // of a matrix

std::vector<Matrix*> Multiplied(Weights& weights) {
  std::vector<Matrix*> all{&weights.head.weight, &weights.classifier.weight, &weights.classifier_output.weight};
  for (LayerWeights& layer : weights.layers) {
    for (Linear* linear :
         {&layer.query_key_value, &layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.cross_query,
          &layer.cross_key, &layer.cross_value, &layer.cross_output, &layer.gate, &layer.up, &layer.down}) {
      all.push_back(&linear->weight);
    }
    all.push_back(&layer.router);
    for (auto* experts : {&layer.expert_gates, &layer.expert_ups, &layer.expert_downs}) {
      for (Matrix& expert : *experts) {
        all.push_back(&expert);
      }
    }
  }
  std::erase_if(all, [](const Matrix* matrix) {
    return !matrix->present() || tensor::FindPackedFormat(matrix->type) == nullptr;
  });
  return all;
}

size_t PanelRows() { return tensor::BestPackedKernels().panel_rows; }
size_t Panels(const Matrix& matrix) { return (matrix.rows + PanelRows() - 1) / PanelRows(); }
size_t PanelBytes(const Matrix& matrix) {
  return tensor::FindPackedFormat(matrix.type)->panel_bytes(PanelRows(), matrix.columns);
}

void Pack(const Matrix& matrix, std::byte* to, ThreadPool& threads) {
  const size_t panel_rows = PanelRows();
  const size_t panel_bytes = PanelBytes(matrix);
  threads.ForEach(Panels(matrix), [&](size_t panel, size_t) {
    const size_t first = panel * panel_rows;
    const size_t rows = std::min(panel_rows, matrix.rows - first);
    tensor::PackPanel(
        {*tensor::FindPackedFormat(matrix.type), matrix.Rows(first, rows), rows, matrix.columns, panel_rows},
        {to + panel * panel_bytes, panel_bytes});
  });
}

// The file's pages that nobody needs for now; whoever reads them again gets them from the file.
void PageOut(std::span<const std::byte> bytes) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(bytes.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(bytes.data() + bytes.size()) / page * page;
  if (begin < end) {
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_PAGEOUT);
  }
}

}  // namespace

Result<PackedMemory> PackedMemory::Make(size_t bytes) {
  PackedMemory memory;
  const size_t rounded = (std::max<size_t>(bytes, 1) + kHugePage - 1) / kHugePage * kHugePage;
  memory.bytes_.reset(static_cast<std::byte*>(std::aligned_alloc(kHugePage, rounded)));
  if (memory.bytes_ == nullptr) {
    return MakeError(Code::kResourceExhausted, "there is no memory for " + std::to_string(bytes) + " bytes of weights");
  }
  madvise(memory.bytes_.get(), rounded, MADV_HUGEPAGE);  // only a wish
  return memory;
}

void PackedMemory::Free::operator()(std::byte* bytes) const { std::free(bytes); }

Result<PackedMemory> PackWeights(Weights& weights, ThreadPool& threads) {
  const auto all = Multiplied(weights);
  std::vector<size_t> offsets;
  size_t bytes = 0;
  for (const Matrix* matrix : all) {
    offsets.push_back(bytes);
    bytes += Panels(*matrix) * PanelBytes(*matrix);
    bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  ATELIER_ASSIGN(memory, PackedMemory::Make(bytes));
  for (size_t i = 0; i < all.size(); ++i) {
    Pack(*all[i], memory.data() + offsets[i], threads);
    all[i]->panels = memory.data() + offsets[i];
    PageOut(all[i]->bytes);
  }
  return memory;
}

}  // namespace atelier::engine

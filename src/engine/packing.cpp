#include "engine/packing.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/hash.h"
#include "engine/panel_file.h"
#include "tensor/halves/half_panels.h"
#include "tensor/kernels/float_kernels.h"
#include "tensor/packed/pack.h"
#include "tensor/packed/packed_kernels.h"

namespace atelier::engine {
namespace {

constexpr size_t kHugePage = 2U << 20U;
constexpr size_t kAlignment = 64;  // of a matrix

bool IsHalf(const Matrix& matrix) {
  return matrix.type == tensor::GgmlType::kF16 || matrix.type == tensor::GgmlType::kBF16;
}

// Those that activations are multiplied with and that have a packed form.
std::vector<Matrix*> Multiplied(Weights& weights, bool integers) {
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
  std::erase_if(all, [integers](const Matrix* matrix) {
    const bool integer = integers && tensor::FindPackedFormat(matrix->type) != nullptr;
    return !matrix->present() || !(integer || IsHalf(*matrix));
  });
  return all;
}

size_t PanelRows(const Matrix& matrix) {
  return IsHalf(matrix) ? tensor::BestFloatKernels().half_panel_rows : tensor::BestPackedKernels().panel_rows;
}
size_t Panels(const Matrix& matrix) { return (matrix.rows + PanelRows(matrix) - 1) / PanelRows(matrix); }
size_t PanelBytes(const Matrix& matrix) {
  return IsHalf(matrix) ? PanelRows(matrix) * matrix.row_bytes
                        : tensor::FindPackedFormat(matrix.type)->panel_bytes(PanelRows(matrix), matrix.columns);
}

void Pack(const Matrix& matrix, std::byte* to, ThreadPool& threads) {
  const size_t panel_rows = PanelRows(matrix);
  const size_t panel_bytes = PanelBytes(matrix);
  threads.ForEach(Panels(matrix), [&](size_t number, size_t) {
    const size_t first = number * panel_rows;
    const size_t count = std::min(panel_rows, matrix.rows - first);
    const auto rows = matrix.Rows(first, count);
    const std::span panel(to + number * panel_bytes, panel_bytes);
    if (IsHalf(matrix)) {
      tensor::PackHalfPanel({rows, count, matrix.columns, panel_rows, matrix.type == tensor::GgmlType::kBF16}, panel);
    } else {
      tensor::PackPanel({*tensor::FindPackedFormat(matrix.type), rows, count, matrix.columns, panel_rows}, panel);
    }
  });
}

// What these panels are of and for: the matrices with samples of their weights, and the kernels.
std::string Identity(std::span<const Matrix* const> all) {
  constexpr size_t kLayout = 1;  // of packed_format.h
  constexpr size_t kSample = 64;
  Sha256 hash;
  hash.Update(std::to_string(kLayout));
  for (const Matrix* matrix : all) {
    hash.Update(matrix->name + " " + std::to_string(static_cast<uint32_t>(matrix->type)) + " " +
                std::to_string(matrix->rows) + " " + std::to_string(matrix->columns) + " " +
                std::to_string(PanelRows(*matrix)));
    for (const size_t row : {size_t{0}, matrix->rows / 2, matrix->rows - 1}) {
      hash.Update(matrix->Rows(row, 1).first(std::min(kSample, matrix->row_bytes)));
    }
  }
  return hash.Finish();
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

void PackedWeights::Free::operator()(std::byte* bytes) const { std::free(bytes); }

Result<PackedWeights> PackedWeights::Make(Weights& weights, ThreadPool& threads, const PackingOptions& options) {
  const std::filesystem::path& cache = options.cache;
  const auto all = Multiplied(weights, options.integers);
  std::vector<size_t> offsets;
  size_t bytes = 0;
  for (const Matrix* matrix : all) {
    offsets.push_back(bytes);
    bytes += Panels(*matrix) * PanelBytes(*matrix);
    bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }
  PackedWeights packed;
  const size_t rounded = (std::max<size_t>(bytes, 1) + kHugePage - 1) / kHugePage * kHugePage;
  packed.bytes_.reset(static_cast<std::byte*>(std::aligned_alloc(kHugePage, rounded)));
  if (packed.bytes_ == nullptr) {
    return MakeError(Code::kResourceExhausted, "there is no memory for " + std::to_string(bytes) + " bytes of weights");
  }
  const std::span<std::byte> panels(packed.bytes_.get(), bytes);
  madvise(panels.data(), rounded, MADV_HUGEPAGE);  // only a wish
  const bool keeps = !cache.empty() && !all.empty();
  const std::string identity = keeps ? Identity(all) : "";
  const bool known = keeps && ReadPanels(cache, identity, panels, threads).ok();
  for (size_t i = 0; i < all.size(); ++i) {
    if (!known) {
      Pack(*all[i], panels.data() + offsets[i], threads);
      PageOut(all[i]->bytes);
    }
    all[i]->panels = panels.data() + offsets[i];
  }
  if (keeps && !known) {
    packed.writer_ = std::jthread([cache, identity, panels](const std::stop_token& stop) {
      static_cast<void>(WritePanels(cache, identity, panels, stop));  // it is packed again next time
    });
  }
  return packed;
}

}  // namespace atelier::engine

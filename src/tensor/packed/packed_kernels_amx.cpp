// Compiled with the flags of AVX-512 and AMX where the compiler knows them; called only where the machine does.
#ifdef ATELIER_AMX

#include "tensor/packed/packed_avx512.h"
#include "tensor/packed/packed_kernels_on.h"
#include "tensor/packed/packed_tiles.h"

namespace atelier::tensor {

const PackedKernels& PackedKernelsAvx512Vnni();
const PackedKernels* PackedKernelsAmx();

namespace {

struct Source;
using Vector = PackedAvx512<Source>;

// Fewer inputs than these leave too much of a tile empty.
constexpr size_t kFewestInputs = 8;

template <size_t kIndex>
void Multiply(const PackedBlock& block) {
  if (block.count < kFewestInputs) {
    PackedKernelsAvx512Vnni().multiply[kIndex](block);
  } else {
    TileProductOn<Vector, kPackedFormats[kIndex]>::Multiply(block);
  }
}

template <size_t... kIndex>
constexpr PackedKernels Kernels(std::index_sequence<kIndex...>) {
  return {"amx", Vector::kRows, &Vector::Round, {&Multiply<kIndex>...}};
}

// A product of tiles that do not fill their registers, compared with what it must be. Compilers have got tiles wrong.
bool TilesWork() {
  constexpr size_t kInputs = 3;
  alignas(64) int8_t levels[kInputs][kCellColumns];
  alignas(64) int8_t weights[kCellColumns / 4][Tiles::kRowBytes];
  alignas(64) int32_t sums[kInputs][Tiles::kRows];
  for (size_t i = 0; i < sizeof(levels); ++i) {
    levels[i / kCellColumns][i % kCellColumns] = static_cast<int8_t>(37 * i - 128);
  }
  for (size_t i = 0; i < sizeof(weights); ++i) {
    weights[i / Tiles::kRowBytes][i % Tiles::kRowBytes] = static_cast<int8_t>(91 * i + 5);
  }
  Tiles::Shapes shapes;
  shapes.Set(0, kInputs, Tiles::kRowBytes);
  shapes.Set(1, kInputs, kCellColumns);
  shapes.Set(2, kCellColumns / 4, Tiles::kRowBytes);
  Tiles::Configure(shapes);
  Tiles::Zero<0>();
  Tiles::Load<1>(levels, kCellColumns);
  Tiles::Load<2>(weights, Tiles::kRowBytes);
  Tiles::AddProduct<0, 1, 2>();
  Tiles::AddProduct<0, 1, 2>();
  Tiles::Store<0>(sums, Tiles::kRowBytes);
  Tiles::Release();
  bool right = true;
  for (size_t input = 0; input < kInputs; ++input) {
    for (size_t row = 0; row < Tiles::kRows; ++row) {
      int32_t sum = 0;
      for (size_t k = 0; k < kCellColumns; ++k) {
        sum += levels[input][k] * weights[k / 4][4 * row + k % 4];
      }
      right = right && sums[input][row] == 2 * sum;
    }
  }
  return right;
}

}  // namespace

// nullptr: the machine says that it has tiles, but they do not work.
const PackedKernels* PackedKernelsAmx() {
  static constexpr PackedKernels kKernels = Kernels(std::make_index_sequence<std::size(kPackedFormats)>());
  static const bool kWork = TilesWork();
  return kWork ? &kKernels : nullptr;
}

}  // namespace atelier::tensor

#endif

// The integer kernels on AMX's tiles, for many inputs at once. Only for sources compiled with AVX-512's flags; V is a
// vector type of 16 rows, whose registers do all but the products.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "tensor/packed/packed_kernels_on.h"

namespace atelier::tensor {

// The instructions, with what compilers are not told of by their own headers: which memory is read, and when.
struct Tiles {
  static constexpr size_t kRowBytes = 64;
  static constexpr size_t kRows = 16;

  // The operand of LDTILECFG (Intel, "Architecture Instruction Set Extensions and Future Features", 3).
  struct alignas(64) Shapes {
    uint8_t palette = 1;
    uint8_t start_row = 0;
    uint8_t reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};

    void Set(size_t tile, size_t tile_rows, size_t tile_row_bytes) {
      rows[tile] = static_cast<uint8_t>(tile_rows);
      row_bytes[tile] = static_cast<uint16_t>(tile_row_bytes);
    }
  };

  static void Configure(const Shapes& shapes) { asm volatile("ldtilecfg %0" : : "m"(shapes) : "memory"); }
  static void Release() { asm volatile("tilerelease"); }
  template <int kTile>
  static void Zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  template <int kTile>
  static void Load(const void* from, size_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  static void Store(void* to, size_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
  }
  // sum += a * b: signed bytes, four to a sum of 32 bits
  template <int kSum, int kA, int kB>
  static void AddProduct() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kA), "i"(kB));
  }
};

// A cell of a panel becomes the tile B of a product, or two where its halves have scales of their own: byte 4 r + j of
// row t is column 4 t + j of the panel's row r, signed, the format's offset taken off. The levels of up to 16 inputs
// lie in their blocks as the tile A.
template <class V, PackedFormat kFormat>
class TileProductOn {
 public:
  static void Multiply(const PackedBlock& block) {
    Work work(block);
    const size_t rest = block.count % kGroup;
    Tiles::Shapes shapes;
    for (const size_t odd : {0, 1}) {
      shapes.Set(kSum + odd, kGroup, Tiles::kRowBytes);
      shapes.Set(kLevels + odd, kGroup, kPartColumns);
      shapes.Set(kWeights + odd, kPartColumns / 4, Tiles::kRowBytes);
    }
    if (rest > 0) {
      shapes.Set(kRestSum, rest, Tiles::kRowBytes);
      shapes.Set(kRestLevels, rest, kPartColumns);
    }
    Tiles::Configure(shapes);
    for (size_t row = 0; row < block.rows; row += Tiles::kRows) {
      for (size_t input = 0; input < block.count; input += kInputs) {
        Panel(work, row, input);
      }
    }
    Tiles::Release();
  }

 private:
  using Product = PackedProductOn<V, kFormat>;
  using Floats = typename V::Floats;
  static constexpr size_t kGroup = 16;   // inputs of a tile
  static constexpr size_t kInputs = 64;  // that a cell is unpacked for
  static constexpr size_t kCells = 16;   // unpacked at once; they fit the first-level cache
  static constexpr size_t kParts = kFormat.parts;
  static constexpr size_t kPartColumns = kCellColumns / kParts;
  static constexpr size_t kPartBytes = kPartColumns * Tiles::kRows;
  // Numbers of tiles; the first three are pairs that take turns.
  static constexpr int kSum = 0, kLevels = 2, kWeights = 4, kRestSum = 6, kRestLevels = 7;
  static_assert(V::kRows == Tiles::kRows && kCells % kSuperCells == 0);

  struct Work {
    explicit Work(const PackedBlock& of) : block(of) {}  // leaves the rest as it is

    const PackedBlock& block;
    alignas(64) uint8_t levels[kCells][kParts][kPartBytes];
    Floats scales[kCells][kParts];
    Floats minima[kCells][kParts];  // only of formats that have them
    alignas(64) int32_t totals[2][kParts][kGroup][Tiles::kRows] = {};
    Floats sums[kInputs];
  };

  template <size_t... kTile>
  static void UnpackLevels(const uint8_t* cell, uint8_t* to, std::index_sequence<kTile...>) {
    const auto offset = V::Repeat(static_cast<uint8_t>(kFormat.offset));
    (V::StoreBytes(V::SubtractBytes(Product::template Levels<kTile>(cell), offset), to + Tiles::kRowBytes * kTile),
     ...);
  }

  // `count` cells, of a first one whose number is a multiple of kSuperCells; leaves `cell` behind them.
  static void Unpack(Work& work, const uint8_t*& cell, size_t count) {
    typename Product::Scales header{};
    for (size_t i = 0; i < count; ++i, cell += Product::kCellBytes) {
      if constexpr (kFormat.super()) {
        if (i % kSuperCells == 0) {
          header = Product::HeaderOf(cell);
          cell += Product::kHeaderBytes;
        }
      }
      for (size_t line = 0; line < Product::kCellBytes; line += 64) {
        V::Prefetch(cell + Product::kPrefetchBytes + line);
      }
      UnpackLevels(cell, work.levels[i][0], std::make_index_sequence<kCellColumns / 4>());
      for (size_t part = 0; part < kParts; ++part) {
        const auto scales = Product::ScalesOf(cell, header, part);
        work.scales[i][part] = scales.scale;
        if constexpr (kFormat.minimum()) {
          work.minima[i][part] = scales.minimum;
        }
      }
    }
  }

  // Inputs from `first` on, at most kGroup and `count` of them, against the cells that are unpacked.
  struct Group {
    const ActivationBlock* first;  // its block of the first of the cells
    size_t stride;                 // blocks from an input to the next
    size_t count;
    size_t cells;
  };

  template <int kTileSum, int kTileLevels, int kTileWeights>
  static void Multiply(Work& work, const Group& group, size_t cell) {
    for (size_t part = 0; part < kParts; ++part) {
      Tiles::Zero<kTileSum>();
      Tiles::Load<kTileLevels>(group.first[cell].level + part * kPartColumns, group.stride * sizeof(ActivationBlock));
      Tiles::Load<kTileWeights>(work.levels[cell][part], Tiles::kRowBytes);
      Tiles::AddProduct<kTileSum, kTileLevels, kTileWeights>();
      Tiles::Store<kTileSum>(work.totals[cell % 2][part], Tiles::kRowBytes);
    }
  }
  template <bool kRest>
  static void MultiplyCell(Work& work, const Group& group, size_t cell) {
    if constexpr (kRest) {
      Multiply<kRestSum, kRestLevels, kWeights>(work, group, cell);
    } else if (cell % 2 == 0) {
      Multiply<kSum, kLevels, kWeights>(work, group, cell);
    } else {
      Multiply<kSum + 1, kLevels + 1, kWeights + 1>(work, group, cell);
    }
  }

  // Adds M inputs' sums, of which the last repeat others where there are fewer. A cell's totals are added while the
  // next cell's products are under way.
  template <bool kRest, size_t... kInput>
  static void AddGroup(Work& work, const Group& group, Floats* to, std::index_sequence<kInput...>) {
    const ActivationBlock* input[] = {group.first + (kInput < group.count ? kInput : 0) * group.stride...};
    Floats sums[] = {to[kInput]...};
    MultiplyCell<kRest>(work, group, 0);
    for (size_t cell = 0; cell < group.cells; ++cell) {
      if (cell + 1 < group.cells) {
        MultiplyCell<kRest>(work, group, cell + 1);
      }
      for (size_t part = 0; part < kParts; ++part) {
        const Floats scale = work.scales[cell][part];
        const auto& totals = work.totals[cell % 2][part];
        ((sums[kInput] = V::MulAdd(V::Multiply(scale, V::Broadcast(input[kInput][cell].scale)),
                                   V::ToFloats(V::LoadInts(totals[kInput])), sums[kInput])),
         ...);
        if constexpr (kFormat.minimum()) {
          const Floats minimum = work.minima[cell][part];
          const size_t sum = kParts == 1 ? 0 : 1 + part;  // which of an input's
          ((sums[kInput] = V::MulAdd(minimum, V::Broadcast(input[kInput][cell].sums[sum]), sums[kInput])), ...);
        }
      }
    }
    ((to[kInput] = sums[kInput]), ...);
  }

  // The panel that begins at `row` against inputs from `first_input` on, at most kInputs.
  static void Panel(Work& work, size_t row, size_t first_input) {
    const PackedBlock& block = work.block;
    const size_t count = block.count - first_input < kInputs ? block.count - first_input : kInputs;
    const size_t panel_bytes = block.cells * Product::kCellBytes + block.cells / kSuperCells * Product::kHeaderBytes;
    const auto* cell = reinterpret_cast<const uint8_t*>(block.panels) + row / Tiles::kRows * panel_bytes;
    for (Floats& sum : work.sums) {
      sum = V::Broadcast(0);
    }
    for (size_t first = 0; first < block.cells; first += kCells) {
      const size_t cells = block.cells - first < kCells ? block.cells - first : kCells;
      Unpack(work, cell, cells);
      for (size_t input = 0; input < count; input += kGroup) {
        const Group group{block.inputs + (first_input + input) * block.cells + first, block.cells, count - input,
                          cells};
        Floats* sums = work.sums + input;
        if (group.count >= kGroup) {
          AddGroup<false>(work, group, sums, std::make_index_sequence<kGroup>());
        } else if (group.count > kGroup / 2) {
          AddGroup<true>(work, group, sums, std::make_index_sequence<kGroup>());
        } else {
          AddGroup<true>(work, group, sums, std::make_index_sequence<kGroup / 2>());
        }
      }
    }
    for (size_t input = 0; input < count; ++input) {
      Product::PutSums(block, row, first_input + input, work.sums[input]);
    }
  }
};

}  // namespace atelier::tensor

// The integer kernels on a vector type V. Included by one source per instruction set, which is compiled with that set's
// flags: so nothing here may be shared with other sources, and V names the instantiation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "tensor/packed/packed_kernels.h"

namespace atelier::tensor {

template <class V, PackedFormat kFormat>
struct PackedProductOn {
  using Bytes = typename V::Bytes;
  using Ints = typename V::Ints;
  using Floats = typename V::Floats;

  static constexpr size_t kPanelRows = V::kRows;
  static constexpr size_t kTileBytes = 4 * kPanelRows;
  static constexpr size_t kCellBytes = kFormat.cell_bytes(kPanelRows);
  static constexpr size_t kHeaderBytes = kFormat.header_bytes(kPanelRows);
  static constexpr size_t kLevelBytes = kFormat.level_bytes(kPanelRows);
  static constexpr size_t kTiles = kCellColumns / 4;
  static constexpr bool kSigned = kFormat.bits == 8 || kFormat.table;
  // Signed levels are raised to where they have no sign, for products that want them so.
  static constexpr bool kRaised = kSigned && V::kRaises;
  static constexpr bool kApart = kSigned && !kRaised && !V::kTakesSigned;
  static constexpr int32_t kOffset = kRaised ? 128 : kFormat.offset;
  // How many products of a level with an activation a sum of 16 bits holds, in pairs where levels have no sign.
  static constexpr size_t kSafe = V::kWideSums ? 8 : kSigned || kFormat.bits == 6 ? 2 : kFormat.bits == 5 ? 4 : 8;

  struct Scales {
    Floats scale;
    Floats minimum;
  };

  template <size_t kTile>
  static Bytes Levels(const uint8_t* cell) {
    if constexpr (kFormat.bits == 8) {
      return V::LoadBytes(cell + kTileBytes * kTile);
    } else {
      Bytes level = V::template HalfBytes<kTile % 2 == 1>(V::LoadBytes(cell + kTileBytes * (kTile / 2)));
      if constexpr (kFormat.bits == 5) {
        level = V::Or(level, V::template Bits<kTile, 1>(V::LoadBytes(cell + kTileBytes * 4)));
      } else if constexpr (kFormat.bits == 6) {
        level = V::Or(level, V::template Bits<2 * (kTile % 4), 3>(V::LoadBytes(cell + kTileBytes * (4 + kTile / 4))));
      }
      if constexpr (kFormat.table) {
        level = V::Iq4Values(level);
      }
      return level;
    }
  }

  static Scales ScalesOf(const uint8_t* cell, const Scales& header, size_t part) {
    const uint8_t* at = cell + kLevelBytes;
    Scales out{};
    if constexpr (kFormat.scales == CellScales::kOwn) {
      out.scale = V::LoadHalves(at);
    } else if constexpr (kFormat.scales == CellScales::kOwnMinimum) {
      out = {V::LoadHalves(at), V::LoadHalves(at + 2 * kPanelRows)};
    } else if constexpr (kFormat.scales == CellScales::kSuper) {
      out.scale = V::Multiply(header.scale, V::SignedBytes(at + part * kPanelRows));
    } else {
      out = {V::Multiply(header.scale, V::UnsignedBytes(at + part * kPanelRows)),
             V::Multiply(header.minimum, V::UnsignedBytes(at + (kFormat.parts + part) * kPanelRows))};
    }
    return out;
  }
  static Scales HeaderOf(const uint8_t* header) {
    Scales out{};
    out.scale = V::LoadHalves(header);
    if constexpr (kFormat.minimum()) {
      out.minimum = V::Multiply(V::LoadHalves(header + 2 * kPanelRows), V::Broadcast(-1.0F));
    }
    return out;
  }

  // P panels, side by side, against C inputs: what an input gives is loaded once for all panels.
  template <size_t P, size_t C>
  struct Tile {
    const uint8_t* cell[P];
    Scales header[P];
    const ActivationBlock* input[C];
    Floats sums[P][C];
  };

  // The sums of one part of a cell; the inputs' pointers are at its blocks.
  template <size_t P, size_t C, size_t kPart>
  static void AddPart(Tile<P, C>& tile) {
    constexpr size_t kOwnTiles = kTiles / kFormat.parts;
    typename V::Partial partial[P][C];
    Ints total[P][C];
    const auto add = [&]<size_t kIndex>(std::integral_constant<size_t, kIndex>) {
      constexpr size_t kTile = kPart * kOwnTiles + kIndex;
      Bytes level[P];
      for (size_t p = 0; p < P; ++p) {
        level[p] = Levels<kTile>(tile.cell[p]);
        if constexpr (kRaised) {
          level[p] = V::Raise(level[p]);
        }
      }
      for (size_t c = 0; c < C; ++c) {
        const auto quad = V::Quad(tile.input[c]->level + 4 * kTile);
        for (size_t p = 0; p < P; ++p) {
          if constexpr (kApart) {
            const Ints dot = V::DotSigned(V::Magnitude(level[p]), level[p], quad);
            total[p][c] = kIndex == 0 ? dot : V::AddInts(total[p][c], dot);
            continue;
          }
          partial[p][c] = kIndex % kSafe == 0 ? V::Dot(level[p], quad) : V::AddDot(partial[p][c], level[p], quad);
          if constexpr (kIndex % kSafe == kSafe - 1 || kIndex == kOwnTiles - 1) {
            const Ints dot = V::Total(partial[p][c]);
            total[p][c] = kIndex < kSafe ? dot : V::AddInts(total[p][c], dot);
          }
        }
      }
    };
    [&]<size_t... kIndex>(std::index_sequence<kIndex...>) { (add(std::integral_constant<size_t, kIndex>()), ...); }
    (std::make_index_sequence<kOwnTiles>());
    constexpr size_t kSum = kFormat.parts == 1 ? 0 : 1 + kPart;  // which of an input's
    if constexpr (kOffset != 0) {
      for (size_t c = 0; c < C; ++c) {
        const Ints offset = V::template Times<kOffset>(tile.input[c]->level_sums[kSum]);
        for (size_t p = 0; p < P; ++p) {
          total[p][c] = V::SubtractInts(total[p][c], offset);
        }
      }
    }
    for (size_t p = 0; p < P; ++p) {
      const Scales scales = ScalesOf(tile.cell[p], tile.header[p], kPart);
      for (size_t c = 0; c < C; ++c) {
        const ActivationBlock& input = *tile.input[c];
        Floats& sum = tile.sums[p][c];
        sum = V::MulAdd(V::Multiply(scales.scale, V::Broadcast(input.scale)), V::ToFloats(total[p][c]), sum);
        if constexpr (kFormat.minimum()) {
          sum = V::MulAdd(scales.minimum, V::Broadcast(input.sums[kSum]), sum);
        }
      }
    }
  }

  template <size_t P, size_t C>
  static void AddCell(Tile<P, C>& tile) {
    for (size_t p = 0; p < P; ++p) {
      for (size_t line = 0; line < kCellBytes; line += 64) {
        V::Prefetch(tile.cell[p] + kPrefetchBytes + line);
      }
    }
    AddPart<P, C, 0>(tile);
    if constexpr (kFormat.parts == 2) {
      AddPart<P, C, 1>(tile);
    }
    for (size_t p = 0; p < P; ++p) {
      tile.cell[p] += kCellBytes;
    }
    for (size_t c = 0; c < C; ++c) {
      ++tile.input[c];
    }
  }

  // P panels from `first_row` on against C inputs from `input` on.
  template <size_t P, size_t C>
  static void Panels(const PackedBlock& block, size_t first_row, size_t input) {
    // Not by kFormat.panel_bytes: what other sources call, too, must not be compiled here.
    const size_t panel_bytes = block.cells * kCellBytes + block.cells / kSuperCells * kHeaderBytes;
    Tile<P, C> tile{};  // sums are 0
    for (size_t p = 0; p < P; ++p) {
      tile.cell[p] = reinterpret_cast<const uint8_t*>(block.panels) + (first_row / kPanelRows + p) * panel_bytes;
    }
    for (size_t c = 0; c < C; ++c) {
      tile.input[c] = block.inputs + (input + c) * block.cells;
      V::Prefetch(reinterpret_cast<const uint8_t*>(Output(block, first_row, input + c)));  // it will be written
    }
    for (size_t cell = 0; cell < block.cells; ++cell) {
      if constexpr (kFormat.super()) {
        for (size_t p = 0; p < P && cell % kSuperCells == 0; ++p) {
          tile.header[p] = HeaderOf(tile.cell[p]);
          tile.cell[p] += kHeaderBytes;
        }
      }
      AddCell(tile);
    }
    for (size_t p = 0; p < P; ++p) {
      for (size_t c = 0; c < C; ++c) {
        PutSums(block, first_row + p * kPanelRows, input + c, tile.sums[p][c]);
      }
    }
  }

  static float* Output(const PackedBlock& block, size_t row, size_t input) {
    return block.outputs + input * block.output_stride + row;
  }

  static void PutSums(const PackedBlock& block, size_t first_row, size_t input, const Floats& sums) {
    float* output = Output(block, first_row, input);
    if (first_row + kPanelRows <= block.rows) {
      V::Store(sums, output);
      return;
    }
    float all[kPanelRows];
    V::Store(sums, all);
    for (size_t row = 0; first_row + row < block.rows; ++row) {
      output[row] = all[row];
    }
  }

  // P panels against all inputs.
  template <size_t P>
  static void Inputs(const PackedBlock& block, size_t first_row) {
    size_t input = 0;
    for (; input + V::kInputs <= block.count; input += V::kInputs) {
      Panels<P, V::kInputs>(block, first_row, input);
    }
    [&]<size_t... kLess>(std::index_sequence<kLess...>) {
      ((block.count - input == kLess + 1 ? Panels<P, kLess + 1>(block, first_row, input) : void()), ...);
    }
    (std::make_index_sequence<V::kInputs - 1>());
  }

  static void Multiply(const PackedBlock& block) {
    // One input is done with as fast as the panels come from memory, and one stream comes faster than two; but bytes
    // are so many that it makes no difference, and their products so slow that two panels are better.
    const bool pairs = block.count > 1 || kFormat.bits == 8;
    size_t row = 0;
    for (; pairs && row + kPanelRows < block.rows; row += 2 * kPanelRows) {
      Inputs<2>(block, row);
    }
    for (; row < block.rows; row += kPanelRows) {
      Inputs<1>(block, row);
    }
  }

  static constexpr size_t kPrefetchBytes = 4096;
};

template <class V>
constexpr PackedKernels PackedKernelsOn(std::string_view name) {
  PackedKernels kernels{name, V::kRows, &V::Round, {}};
  [&]<size_t... kIndex>(std::index_sequence<kIndex...>) {
    ((kernels.multiply[kIndex] = &PackedProductOn<V, kPackedFormats[kIndex]>::Multiply), ...);
  }
  (std::make_index_sequence<std::size(kPackedFormats)>());
  return kernels;
}

}  // namespace atelier::tensor

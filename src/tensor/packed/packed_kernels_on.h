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
  // How many products of a level with an activation, in pairs, a sum of 16 bits holds.
  static constexpr size_t kSafe = kFormat.bits == 4 ? 8 : kFormat.bits == 5 ? 4 : 2;

  struct Scales {
    Floats scale;
    Floats minimum;
  };

  template <size_t kTile>
  static Bytes Levels(const uint8_t* cell) {
    if constexpr (kFormat.bits == 8) {
      return V::LoadBytes(cell + kTileBytes * kTile);
    } else {
      Bytes level = V::template HalfBytes<(kTile >= 4)>(V::LoadBytes(cell + kTileBytes * (kTile % 4)));
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
    if constexpr (kFormat.offset != 0) {
      out.minimum = V::Multiply(out.scale, V::Broadcast(-static_cast<float>(kFormat.offset)));
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

  // The sums of one part of a cell for C inputs.
  template <size_t C, size_t kPart>
  static void AddPart(const uint8_t* cell, const Scales& header, const ActivationBlock* const* inputs, size_t at,
                      Floats* sums) {
    constexpr size_t kOwnTiles = kTiles / kFormat.parts;
    typename V::Partial partial[C];
    Ints total[C];
    const auto tile = [&]<size_t kIndex>(std::integral_constant<size_t, kIndex>) {
      constexpr size_t kTile = kPart * kOwnTiles + kIndex;
      const Bytes level = Levels<kTile>(cell);
      if constexpr (kSigned) {
        const Bytes magnitude = V::Magnitude(level);
        for (size_t c = 0; c < C; ++c) {
          const Ints dot = V::DotSigned(magnitude, level, V::Quad(inputs[c][at].level + 4 * kTile));
          total[c] = kIndex == 0 ? dot : V::AddInts(total[c], dot);
        }
      } else {
        for (size_t c = 0; c < C; ++c) {
          const auto quad = V::Quad(inputs[c][at].level + 4 * kTile);
          partial[c] = kIndex % kSafe == 0 ? V::Dot(level, quad) : V::AddDot(partial[c], level, quad);
          if constexpr (kIndex % kSafe == kSafe - 1 || kIndex == kOwnTiles - 1) {
            const Ints dot = V::Total(partial[c]);
            total[c] = kIndex < kSafe ? dot : V::AddInts(total[c], dot);
          }
        }
      }
    };
    [&]<size_t... kIndex>(std::index_sequence<kIndex...>) { (tile(std::integral_constant<size_t, kIndex>()), ...); }
    (std::make_index_sequence<kOwnTiles>());
    const Scales scales = ScalesOf(cell, header, kPart);
    for (size_t c = 0; c < C; ++c) {
      const ActivationBlock& input = inputs[c][at];
      const Floats scale = V::Multiply(scales.scale, V::Broadcast(input.scale));
      sums[c] = V::MulAdd(scale, V::ToFloats(total[c]), sums[c]);
      if constexpr (kFormat.offset != 0 || kFormat.minimum()) {
        const float sum = kFormat.parts == 1 ? input.sum : input.half_sums[kPart];
        sums[c] = V::MulAdd(scales.minimum, V::Broadcast(sum), sums[c]);
      }
    }
  }

  // One panel against C inputs from `input` on.
  template <size_t C>
  static void Panel(const PackedBlock& block, const std::byte* panel, size_t input, Floats* sums) {
    const ActivationBlock* inputs[C];
    for (size_t c = 0; c < C; ++c) {
      inputs[c] = block.inputs + (input + c) * block.cells;
      sums[c] = V::Broadcast(0);
    }
    const auto* cell = reinterpret_cast<const uint8_t*>(panel);
    Scales header{};
    for (size_t at = 0; at < block.cells; ++at, cell += kCellBytes) {
      if constexpr (kFormat.super()) {
        if (at % kSuperCells == 0) {
          header = HeaderOf(cell);
          cell += kHeaderBytes;
        }
      }
      for (size_t line = 0; line < kCellBytes; line += 64) {
        V::Prefetch(cell + kPrefetchBytes + line);
      }
      AddPart<C, 0>(cell, header, inputs, at, sums);
      if constexpr (kFormat.parts == 2) {
        AddPart<C, 1>(cell, header, inputs, at, sums);
      }
    }
  }

  template <size_t C>
  static void PanelOut(const PackedBlock& block, size_t first_row, size_t input) {
    // Not by kFormat.panel_bytes: what other sources call, too, must not be compiled here.
    const size_t panel_bytes = block.cells * kCellBytes + block.cells / kSuperCells * kHeaderBytes;
    Floats sums[C];
    Panel<C>(block, block.panels + first_row / kPanelRows * panel_bytes, input, sums);
    for (size_t c = 0; c < C; ++c) {
      float* output = block.outputs + (input + c) * block.output_stride + first_row;
      if (first_row + kPanelRows <= block.rows) {
        V::Store(sums[c], output);
        continue;
      }
      float all[kPanelRows];
      V::Store(sums[c], all);
      for (size_t row = 0; first_row + row < block.rows; ++row) {
        output[row] = all[row];
      }
    }
  }

  static void Multiply(const PackedBlock& block) {
    constexpr size_t kInputs = 4;
    for (size_t row = 0; row < block.rows; row += kPanelRows) {
      size_t input = 0;
      for (; input + kInputs <= block.count; input += kInputs) {
        PanelOut<kInputs>(block, row, input);
      }
      switch (block.count - input) {
        case 3:
          PanelOut<3>(block, row, input);
          break;
        case 2:
          PanelOut<2>(block, row, input);
          break;
        case 1:
          PanelOut<1>(block, row, input);
          break;
        default:
          break;
      }
    }
  }

  static constexpr size_t kPrefetchBytes = 1024;
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

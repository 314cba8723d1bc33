#include "tensor/packed/pack.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "tensor/quants/blocks.h"

namespace atelier::tensor {
namespace {

// A block or super-block as levels and scales.
struct Levels {
  std::array<uint8_t, kSuperBlockWeights> level;
  std::array<uint8_t, 16> scales;  // signed where the format's are
  std::array<uint8_t, 16> minima;
  StoredHalf scale;
  StoredHalf minimum;
};

uint8_t Bits(uint8_t byte, size_t shift, unsigned mask) { return static_cast<uint8_t>((byte >> shift) & mask); }

// 32 levels of 16 bytes, the first 16 in the low halves.
void ReadHalves(const uint8_t* q, uint8_t* level) {
  for (size_t i = 0; i < 16; ++i) {
    level[i] = q[i] & 15;
    level[i + 16] = q[i] >> 4;
  }
}
void AddFifthBits(const Bytes<4>& high, uint8_t* level) {
  for (size_t i = 0; i < kBlockWeights; ++i) {
    level[i] = static_cast<uint8_t>(level[i] | (Bits(high[i / 8], i % 8, 1) << 4));
  }
}

void Read(const Q4_0Block& block, Levels& out) {
  out.scale = block.scale;
  ReadHalves(block.q.data(), out.level.data());
}
void Read(const Iq4NlBlock& block, Levels& out) {
  out.scale = block.scale;
  ReadHalves(block.q.data(), out.level.data());
}
void Read(const Q4_1Block& block, Levels& out) {
  out.scale = block.scale;
  out.minimum = block.offset;
  ReadHalves(block.q.data(), out.level.data());
}
void Read(const Q5_0Block& block, Levels& out) {
  out.scale = block.scale;
  ReadHalves(block.q.data(), out.level.data());
  AddFifthBits(block.high, out.level.data());
}
void Read(const Q5_1Block& block, Levels& out) {
  out.scale = block.scale;
  out.minimum = block.offset;
  ReadHalves(block.q.data(), out.level.data());
  AddFifthBits(block.high, out.level.data());
}
void Read(const Q8_0Block& block, Levels& out) {
  out.scale = block.scale;
  std::ranges::copy(block.q, out.level.begin());
}
void Read(const Q2KBlock& block, Levels& out) {
  out.scale = block.scale;
  out.minimum = block.minimum;
  for (size_t i = 0; i < kSuperBlockWeights; ++i) {
    out.level[i] = Bits(block.q[32 * (i / 128) + i % 32], 2 * (i / 32 % 4), 3);
  }
  for (size_t sub = 0; sub < 16; ++sub) {
    out.scales[sub] = block.scales[sub] & 15;
    out.minima[sub] = block.scales[sub] >> 4;
  }
}
void Read(const Q3KBlock& block, Levels& out) {
  out.scale = block.scale;
  for (size_t i = 0; i < kSuperBlockWeights; ++i) {
    const uint8_t low = Bits(block.q[32 * (i / 128) + i % 32], 2 * (i / 32 % 4), 3);
    out.level[i] = static_cast<uint8_t>(low | (Bits(block.high[i % 32], i / 32, 1) << 2));
  }
  for (size_t sub = 0; sub < 16; ++sub) {
    out.scales[sub] = static_cast<uint8_t>(GetQ3KScale(block.scales, sub) - 32);
  }
}
template <class Block>  // Q4_K and Q5_K
void ReadFourBits(const Block& block, Levels& out) {
  out.scale = block.scale;
  out.minimum = block.minimum;
  for (size_t i = 0; i < kSuperBlockWeights; ++i) {
    out.level[i] = Bits(block.q[32 * (i / 64) + i % 32], 4 * (i / 32 % 2), 15);
  }
  for (size_t sub = 0; sub < 8; ++sub) {
    const ScaleMinimum both = GetScaleMinimum(block.scales, sub);
    out.scales[sub] = both.scale;
    out.minima[sub] = both.minimum;
  }
}
void Read(const Q4KBlock& block, Levels& out) { ReadFourBits(block, out); }
void Read(const Q5KBlock& block, Levels& out) {
  ReadFourBits(block, out);
  for (size_t i = 0; i < kSuperBlockWeights; ++i) {
    out.level[i] = static_cast<uint8_t>(out.level[i] | (Bits(block.high[i % 32], i / 32, 1) << 4));
  }
}
void Read(const Q6KBlock& block, Levels& out) {
  out.scale = block.scale;
  for (size_t i = 0; i < kSuperBlockWeights; ++i) {
    const size_t within = i % 128;
    const uint8_t low = Bits(block.low[64 * (i / 128) + within % 64], 4 * (within / 64), 15);
    const uint8_t high = Bits(block.high[32 * (i / 128) + within % 32], 2 * (within / 32), 3);
    out.level[i] = static_cast<uint8_t>(low | (high << 4));
  }
  std::ranges::copy(block.scales, out.scales.begin());
}
void Read(const Iq4XsBlock& block, Levels& out) {
  out.scale = block.scale;
  for (size_t sub = 0; sub < 8; ++sub) {
    ReadHalves(block.q.data() + 16 * sub, out.level.data() + 32 * sub);
    const int low = Bits(block.scales_low[sub / 2], 4 * (sub % 2), 15);
    const int high = Bits(block.scales_high[sub / 4], 2 * (sub % 4), 3);
    out.scales[sub] = static_cast<uint8_t>((low | (high << 4)) - 32);
  }
}

uint8_t* BytesAt(std::byte* at) { return reinterpret_cast<uint8_t*>(at); }

// Where a row's numbers go in a panel.
struct Place {
  const PackedFormat& format;
  size_t rows;  // of the panel
  size_t row;
};

uint32_t LoadFour(const uint8_t* from) {
  uint32_t four = 0;
  std::memcpy(&four, from, sizeof(four));
  return four;
}
void StoreFour(uint32_t four, uint8_t* to) { std::memcpy(to, &four, sizeof(four)); }

// 32 levels into the tiles of a cell, four bytes at a time: no level's bits reach into its neighbours.
void PutLevels(const Place& place, const uint8_t* level, uint8_t* cell) {
  constexpr size_t kTiles = kCellColumns / 4;
  constexpr uint32_t kLow = 0x0F0F0F0F;
  const uint32_t bits = place.format.bits;
  const size_t tile_bytes = 4 * place.rows;
  cell += 4 * place.row;
  uint32_t high[2] = {0, 0};  // fifth bits, or fifth and sixth ones
  for (size_t tile = 0; tile < kTiles; ++tile) {
    const uint32_t four = LoadFour(level + 4 * tile);
    if (bits == 8) {
      StoreFour(four, cell + tile_bytes * tile);
    } else if (tile % 2 == 0) {
      StoreFour((four & kLow) | ((LoadFour(level + 4 * tile + 4) & kLow) << 4), cell + tile_bytes * (tile / 2));
    }
    if (bits == 5) {
      high[0] |= ((four >> 4) & 0x01010101) << tile;
    } else if (bits == 6) {
      high[tile / 4] |= ((four >> 4) & 0x03030303) << (2 * (tile % 4));
    }
  }
  for (size_t i = 4; bits < 8 && i < bits; ++i) {
    StoreFour(high[i - 4], cell + tile_bytes * i);
  }
}

void PutHalf(const StoredHalf& half, size_t row, uint8_t* to) {
  std::memcpy(to + 2 * row, half.bytes.data(), half.bytes.size());
}

// A block or super-block, `at` pointing to its header or first cell.
void PutBlock(const Place& place, const Levels& levels, uint8_t* at) {
  const PackedFormat& format = place.format;
  const size_t rows = place.rows;
  if (!format.super()) {
    PutLevels(place, levels.level.data(), at);
    PutHalf(levels.scale, place.row, at + format.level_bytes(rows));
    if (format.minimum()) {
      PutHalf(levels.minimum, place.row, at + format.level_bytes(rows) + 2 * rows);
    }
    return;
  }
  PutHalf(levels.scale, place.row, at);
  if (format.minimum()) {
    PutHalf(levels.minimum, place.row, at + 2 * rows);
  }
  at += format.header_bytes(rows);
  for (size_t cell = 0; cell < kSuperCells; ++cell, at += format.cell_bytes(rows)) {
    PutLevels(place, levels.level.data() + kCellColumns * cell, at);
    uint8_t* scales = at + format.level_bytes(rows) + place.row;
    for (size_t part = 0; part < format.parts; ++part) {
      scales[part * rows] = levels.scales[cell * format.parts + part];
      if (format.minimum()) {
        scales[(format.parts + part) * rows] = levels.minima[cell * format.parts + part];
      }
    }
  }
}

template <class Block>
void PackBlocks(const PanelSource& source, std::span<std::byte> panel) {
  const size_t blocks = source.rows.size() / source.count / sizeof(Block);  // of a row
  const size_t step = panel.size() / blocks;
  Levels levels;
  for (size_t row = 0; row < source.count; ++row) {
    const auto* from = reinterpret_cast<const Block*>(source.rows.data()) + row * blocks;  // of bytes only
    for (size_t block = 0; block < blocks; ++block) {
      Read(from[block], levels);
      PutBlock({source.format, source.panel_rows, row}, levels, BytesAt(panel.data()) + block * step);
    }
  }
}

}  // namespace

void PackPanel(const PanelSource& source, std::span<std::byte> panel) {
  assert(panel.size() == source.format.panel_bytes(source.panel_rows, source.columns) && source.count > 0);
  std::memset(panel.data(), 0, panel.size());
  switch (source.format.type) {
    case GgmlType::kQ4_0:
      return PackBlocks<Q4_0Block>(source, panel);
    case GgmlType::kQ4_1:
      return PackBlocks<Q4_1Block>(source, panel);
    case GgmlType::kQ5_0:
      return PackBlocks<Q5_0Block>(source, panel);
    case GgmlType::kQ5_1:
      return PackBlocks<Q5_1Block>(source, panel);
    case GgmlType::kQ8_0:
      return PackBlocks<Q8_0Block>(source, panel);
    case GgmlType::kQ2_K:
      return PackBlocks<Q2KBlock>(source, panel);
    case GgmlType::kQ3_K:
      return PackBlocks<Q3KBlock>(source, panel);
    case GgmlType::kQ4_K:
      return PackBlocks<Q4KBlock>(source, panel);
    case GgmlType::kQ5_K:
      return PackBlocks<Q5KBlock>(source, panel);
    case GgmlType::kQ6_K:
      return PackBlocks<Q6KBlock>(source, panel);
    case GgmlType::kIQ4_NL:
      return PackBlocks<Iq4NlBlock>(source, panel);
    case GgmlType::kIQ4_XS:
      return PackBlocks<Iq4XsBlock>(source, panel);
    default:
      assert(false);  // not one of kPackedFormats
  }
}

}  // namespace atelier::tensor

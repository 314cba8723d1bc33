// How quantised weights lie in memory for the integer kernels: not as in the file, but in the order in which a kernel
// reads them, so that one panel of rows is one stream of bytes.
//
// A panel is a few rows, as many as the kernels have lanes of 32 bits. It is a row of cells of kCellColumns columns
// each; formats with super-blocks put a header of 16-bit scales before each eight cells. A cell holds the levels of its
// weights and its small scales. Levels lie in tiles of four bytes a row:
//   levels of 4 bits: 4 tiles; byte 4 r + j of tile t: column 8 t + j of row r in the low half, column 8 t + 4 + j in
//     the high half;
//   a fifth bit: one tile more, bit t of byte 4 r + j belonging to column 4 t + j;
//   a fifth and sixth bit: two tiles more, bits 2 s of byte 4 r + j of tile u belonging to column 4 (4 u + s) + j;
//   signed levels of 8 bits: 8 tiles, byte 4 r + j of tile t: column 4 t + j.
// Rows that fill up the last panel have the scale 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/gguf.h"

namespace atelier::tensor {

inline constexpr size_t kCellColumns = 32;
inline constexpr size_t kSuperCells = 8;
inline constexpr size_t kMaxPanelRows = 16;

// A weight is scale * (level - offset) + minimum, scale and minimum being of a cell or of half of one.
enum class CellScales : uint8_t {
  kOwn,           // a cell's scale in F16, [rows]
  kOwnMinimum,    // the same and a minimum in F16, [rows]
  kSuper,         // signed bytes [parts][rows], times the F16 scale of the header
  kSuperMinimum,  // bytes [parts][rows] of scales, then of minima; the header has a scale and a minimum that is taken
                  // off
};

struct PackedFormat {
  GgmlType type;
  uint32_t bits;   // of a level: 4, 5, 6, or 8 (signed)
  bool table;      // a level is an index into kIq4Values
  int32_t offset;  // of levels: 0 or a power of two
  uint32_t parts;  // scales of a cell: 1, or 2 for its halves
  CellScales scales;

  // Of panels of `rows` rows.
  constexpr size_t level_bytes(size_t rows) const { return rows * kCellColumns * bits / 8; }
  constexpr bool super() const { return scales == CellScales::kSuper || scales == CellScales::kSuperMinimum; }
  constexpr bool minimum() const { return scales == CellScales::kOwnMinimum || scales == CellScales::kSuperMinimum; }
  constexpr size_t cell_bytes(size_t rows) const {
    const size_t kinds = minimum() ? 2 : 1;
    return level_bytes(rows) + kinds * rows * (super() ? parts : 2);
  }
  constexpr size_t header_bytes(size_t rows) const { return super() ? (minimum() ? 2 : 1) * 2 * rows : 0; }
  constexpr size_t panel_bytes(size_t rows, size_t columns) const {
    const size_t cells = columns / kCellColumns;
    return cells * cell_bytes(rows) + cells / kSuperCells * header_bytes(rows);
  }
};

inline constexpr PackedFormat kPackedFormats[] = {
    {GgmlType::kQ4_0, 4, false, 8, 1, CellScales::kOwn},
    {GgmlType::kQ4_1, 4, false, 0, 1, CellScales::kOwnMinimum},
    {GgmlType::kQ5_0, 5, false, 16, 1, CellScales::kOwn},
    {GgmlType::kQ5_1, 5, false, 0, 1, CellScales::kOwnMinimum},
    {GgmlType::kQ8_0, 8, false, 0, 1, CellScales::kOwn},
    {GgmlType::kQ2_K, 4, false, 0, 2, CellScales::kSuperMinimum},
    {GgmlType::kQ3_K, 4, false, 4, 2, CellScales::kSuper},
    {GgmlType::kQ4_K, 4, false, 0, 1, CellScales::kSuperMinimum},
    {GgmlType::kQ5_K, 5, false, 0, 1, CellScales::kSuperMinimum},
    {GgmlType::kQ6_K, 6, false, 32, 2, CellScales::kSuper},
    {GgmlType::kIQ4_NL, 4, true, 0, 1, CellScales::kOwn},
    {GgmlType::kIQ4_XS, 4, true, 0, 1, CellScales::kSuper},
};

// nullptr: a format whose weights are no small integers (F32, F16, BF16).
constexpr const PackedFormat* FindPackedFormat(GgmlType type) {
  for (const PackedFormat& format : kPackedFormats) {
    if (format.type == type) {
      return &format;
    }
  }
  return nullptr;
}

}  // namespace atelier::tensor

// Some rows of a table on their way through the steps, in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::data::steps {

// The values of one column. Which members are used follows from the column's type (data/manifest.h):
//   number            : numbers [rows, shape...], NaN where missing
//   category          : codes   [rows], -1 where missing
//   text, encoded image: bytes and offsets [rows + 1]; an empty text is a missing one
//   raw image         : bytes   [rows, channels, height, width]
struct ColumnRows {
  std::vector<float> numbers{};
  std::vector<int32_t> codes{};
  std::string bytes{};
  std::vector<int64_t> offsets{};

  // Of a text or an encoded image.
  std::string_view Text(size_t row) const {
    const auto begin = static_cast<size_t>(offsets[row]);
    return std::string_view(bytes).substr(begin, static_cast<size_t>(offsets[row + 1]) - begin);
  }
  void AddText(std::string_view text) {
    if (offsets.empty()) {
      offsets.push_back(0);
    }
    bytes += text;
    offsets.push_back(static_cast<int64_t>(bytes.size()));
  }
};

struct Batch {
  // How many rows have come to this step before, in this pass over the data: `first + i` names the i-th row in every
  // pass and after a restart, so a seeded choice about a row is a function of it (RowHash).
  int64_t first = 0;
  std::vector<uint8_t> splits{};      // a row: a Split
  std::vector<ColumnRows> columns{};  // in order of the schema

  size_t rows() const { return splits.size(); }
  size_t Bytes() const;
  // Leaves these rows, in this order; a row may be named several times.
  void Take(const std::vector<uint32_t>& rows);
  // A copy of `count` rows from `from` on, with their own `first`.
  Batch Slice(size_t from, size_t count) const;
  // Leaves the rows whose flag is not zero.
  void Keep(const std::vector<uint8_t>& flags);
};

// A well mixed number for one row: the same for the same seed and row on every machine.
uint64_t RowHash(uint64_t seed, int64_t row);
// The same as a number in [0, 1).
double RowUniform(uint64_t seed, int64_t row);

// A 128-bit hash of bytes, not against adversaries.
struct Hash128 {
  uint64_t high = 0, low = 0;
  auto operator<=>(const Hash128&) const = default;
};
Hash128 HashBytes(std::string_view bytes, uint64_t seed = 0);

}  // namespace atelier::data::steps

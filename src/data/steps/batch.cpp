#include "data/steps/batch.h"

#include <cstring>
#include <numeric>

namespace atelier::data::steps {
namespace {

// The finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
uint64_t Mix(uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31U);
}

constexpr uint64_t kGolden = 0x9E3779B97F4A7C15ULL;

template <class T>
std::vector<T> Gather(const std::vector<T>& values, const std::vector<uint32_t>& rows, size_t width) {
  std::vector<T> out;
  out.reserve(rows.size() * width);
  for (const uint32_t row : rows) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row * width);
    out.insert(out.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
  }
  return out;
}

ColumnRows Gather(const ColumnRows& column, const std::vector<uint32_t>& rows, size_t before) {
  ColumnRows out;
  out.numbers = Gather(column.numbers, rows, column.numbers.size() / before);
  if (!column.codes.empty()) {
    out.codes = Gather(column.codes, rows, 1);
  }
  if (!column.offsets.empty()) {
    out.offsets.push_back(0);
    for (const uint32_t row : rows) {
      out.AddText(column.Text(row));
    }
  } else if (!column.bytes.empty()) {
    const size_t width = column.bytes.size() / before;
    for (const uint32_t row : rows) {
      out.bytes.append(column.bytes, row * width, width);
    }
  }
  return out;
}

}  // namespace

size_t Batch::Bytes() const {
  size_t bytes = splits.size();
  for (const ColumnRows& column : columns) {
    bytes += column.numbers.size() * sizeof(float) + column.codes.size() * sizeof(int32_t) + column.bytes.size() +
             column.offsets.size() * sizeof(int64_t);
  }
  return bytes;
}

void Batch::Take(const std::vector<uint32_t>& rows) {
  const size_t before = splits.size();
  if (before == 0) {
    return;
  }
  for (ColumnRows& column : columns) {
    column = Gather(column, rows, before);
  }
  splits = Gather(splits, rows, 1);
}

Batch Batch::Slice(size_t from, size_t count) const {
  std::vector<uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<uint32_t>(from));
  Batch out;
  out.first = first + static_cast<int64_t>(from);
  out.splits = Gather(splits, rows, 1);
  for (const ColumnRows& column : columns) {
    out.columns.push_back(Gather(column, rows, splits.size()));
  }
  return out;
}

void Batch::Keep(const std::vector<uint8_t>& flags) {
  std::vector<uint32_t> rows;
  for (size_t i = 0; i < flags.size(); ++i) {
    if (flags[i] != 0) {
      rows.push_back(static_cast<uint32_t>(i));
    }
  }
  if (rows.size() < flags.size()) {
    Take(rows);
  }
}

uint64_t RowHash(uint64_t seed, int64_t row) {
  return Mix(Mix(seed + kGolden) ^ (static_cast<uint64_t>(row) + 1) * kGolden);
}

double RowUniform(uint64_t seed, int64_t row) { return static_cast<double>(RowHash(seed, row) >> 11U) * 0x1.0p-53; }

Hash128 HashBytes(std::string_view bytes, uint64_t seed) {
  Hash128 hash{Mix(seed ^ kGolden), Mix(seed + bytes.size() * kGolden)};
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t count = bytes.size() < sizeof(word) ? bytes.size() : sizeof(word);
    std::memcpy(&word, bytes.data(), count);
    bytes.remove_prefix(count);
    hash.high = Mix(hash.high ^ word) + kGolden;
    hash.low = Mix(hash.low + word * 0xD6E8FEB86659FD93ULL) ^ hash.high;
  }
  return hash;
}

}  // namespace atelier::data::steps

// How the keys and values of attention lie in the pages of a cache.
#pragma once

#include <cstddef>
#include <cstdint>

namespace atelier::tensor {

// One head's keys of a page are [width, positions], so that a position's numbers stand in a column; its values are
// [positions, width]. kQ8_0: signed bytes, each run of kScaled numbers of a position with a float as its scale; the
// scales lie behind all numbers, [runs, positions] of keys and [positions, runs] of values.
enum class KvFormat : uint8_t { kF32, kF16, kBF16, kQ8_0 };
inline constexpr size_t kKvFormats = 4;
inline constexpr size_t kScaled = 32;

inline constexpr size_t ScaleRuns(size_t width) { return width / kScaled + (width % kScaled == 0 ? 0 : 1); }

// The bytes of one head's keys or values of a page, a multiple of a cache line's. False on overflow.
inline bool KvBytes(KvFormat format, size_t width, size_t positions, size_t& bytes) {
  constexpr size_t kLine = 64;
  const size_t of_number = format == KvFormat::kF32 ? 4 : format == KvFormat::kQ8_0 ? 1 : 2;
  const size_t of_position = format == KvFormat::kQ8_0 ? ScaleRuns(width) * sizeof(float) : 0;
  size_t numbers = 0;
  if (__builtin_mul_overflow(width, of_number, &numbers) || __builtin_add_overflow(numbers, of_position, &bytes) ||
      __builtin_mul_overflow(bytes, positions, &bytes) || __builtin_add_overflow(bytes, kLine - 1, &bytes)) {
    return false;
  }
  bytes -= bytes % kLine;
  return true;
}

}  // namespace atelier::tensor

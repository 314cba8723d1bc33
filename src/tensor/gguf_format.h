// What the reader and the writer of GGUF agree on (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tensor/gguf.h"

namespace atelier::tensor {

static_assert(std::endian::native == std::endian::little, "GGUF is little-endian here, and so are our maps of it");

inline constexpr std::string_view kGgufMagic = "GGUF";
inline constexpr uint32_t kGgufVersion = 3;
inline constexpr uint64_t kGgufDefaultAlignment = 32;
inline constexpr uint64_t kGgufMaxAlignment = 65536;
inline constexpr size_t kGgufMaxDimensions = 4;
inline constexpr uint64_t kGgufMaxKeyBytes = 65535;       // of the specification
inline constexpr uint64_t kGgufMaxTensorNameBytes = 255;  // the specification says 64; some writers go beyond
inline constexpr std::string_view kGgufAlignmentKey = "general.alignment";

// The bytes of one value in the file, by GgufType; 0: a string or an array.
inline constexpr std::array<uint8_t, 13> kGgufTypeBytes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// 8 or more, so that every type may lie at it; above the limit there is only padding.
inline constexpr bool IsGgufAlignment(uint64_t value) {
  return value >= 8 && value <= kGgufMaxAlignment && std::has_single_bit(value);
}

inline constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace atelier::tensor

// The formats in which GGUF holds numbers, as data: weights a block and bytes a block. Source:
// https://github.com/ggml-org/llama.cpp/blob/master/ggml/src/ggml-common.h and gguf-py/gguf/constants.py.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tensor/gguf.h"

namespace atelier::tensor {

struct BlockFormat {
  uint32_t id;            // of the file format; GgmlType where `supported`
  std::string_view name;  // as llama.cpp prints it: "F32", "Q4_K"
  uint32_t weights;       // a block
  uint32_t bytes;         // a block
  bool supported;         // Dequantise and Quantise know it
};

// Every format that ggml has, by id; deprecated ids are absent. Static, thread-safe.
std::span<const BlockFormat> BlockFormats();

// The format of an id of the file; nullptr if ggml has none.
const BlockFormat* FindFormat(uint32_t id);
// The format of a name, in any case ("q4_k", "Q4_K"); nullptr if ggml has none.
const BlockFormat* FindFormat(std::string_view name);

// Of a supported type; a GgmlType always is one.
const BlockFormat& FormatOf(GgmlType type);

// The bytes of `count` weights; nothing if they are no whole blocks or do not fit 63 bits.
std::optional<uint64_t> BytesOf(const BlockFormat& format, uint64_t count);

// The bytes of a tensor of 1 to 4 dimensions, outermost first; nothing if one is not positive, a row is no whole blocks
// or all do not fit 63 bits.
std::optional<uint64_t> BytesOfShape(const BlockFormat& format, std::span<const int64_t> shape);

}  // namespace atelier::tensor

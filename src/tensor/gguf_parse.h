// One GGUF file as bytes, checked: the part of gguf.h that does not know files.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "base/result.h"
#include "tensor/gguf.h"

namespace atelier::tensor {

struct GgufPart {
  std::map<std::string, GgufValue, std::less<>> metadata;
  std::map<std::string, GgufTensor, std::less<>> tensors;  // borrow from the bytes parsed
};

// Reads all of `bytes`. Allocates no more than a small multiple of their size, whatever they say. A part of a split
// model may have no tensors. Errors: as GgufFile::Open. Thread-safe.
Result<GgufPart> ParseGguf(std::span<const std::byte> bytes);

Error BadGguf(const std::string& message);  // kInvalidArgument "invalid_model_file"

}  // namespace atelier::tensor

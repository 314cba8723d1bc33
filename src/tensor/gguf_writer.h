// Writes GGUF, version 3: metadata and tensors into one file.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/gguf.h"

namespace atelier::tensor {

using GgufMetadata = std::map<std::string, GgufValue, std::less<>>;
using GgufSink = std::function<Status(std::span<const std::byte>)>;

// A tensor whose bytes come when its turn does.
struct GgufPlan {
  std::string name;
  GgmlType type = GgmlType::kF32;
  std::vector<int64_t> shape;  // outermost first
};

// Writes the bytes of tensor `index` to the sink, in as many pieces as it likes.
using GgufProducer = std::function<Status(size_t index, const GgufSink& sink)>;

// Streams the header, then every tensor in the order of `plans`, each at a multiple of the alignment: 32, or what
// "general.alignment" in `metadata` says. What is written opens again as the same metadata and tensors. A value whose
// `stored` is kAny becomes the narrowest of U32 and U64 or I32 and I64 that holds it (of an array: every element), and
// F32 where it is a floating-point number, as readers elsewhere expect. Errors: kInvalidArgument naming the key or
// tensor (a name, value, shape or count of bytes that the format cannot hold; nothing to write); the producer's and the
// sink's own.
Status WriteGguf(const GgufMetadata& metadata, const std::vector<GgufPlan>& plans, const GgufProducer& produce,
                 const GgufSink& sink);

// The same for tensors in memory, in the order of their names.
Status WriteGguf(const GgufMetadata& metadata, const std::map<std::string, GgufTensor, std::less<>>& tensors,
                 const GgufSink& sink);

}  // namespace atelier::tensor

// The safetensors format (https://github.com/huggingface/safetensors): u64 header length, JSON header, raw
// little-endian tensors. Used for weights, checkpoints and the shards of data sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::tensor {

enum class DataType { kBool, kU8, kI8, kI16, kU16, kF16, kBF16, kI32, kU32, kF32, kF64, kI64, kU64 };

size_t ByteSize(DataType type);
std::string_view Name(DataType type);  // "F32" ...

struct View {
  DataType type = DataType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;  // borrowed from the file or the caller
};

// A fully checked file. Errors: kInvalidArgument "invalid_model_file", naming the tensor (bad length, header, dtype,
// shape, offsets negative, swapped, overlapping, with holes or beyond the end), kNotFound. Thread-safe.
class SafetensorsFile {
 public:
  // Maps the file into memory.
  static Result<std::unique_ptr<SafetensorsFile>> Open(const std::filesystem::path& file);
  // A whole file in memory, which the caller keeps for as long as this object.
  static Result<std::unique_ptr<SafetensorsFile>> Parse(std::span<const std::byte> bytes);
  virtual ~SafetensorsFile() = default;
  virtual const std::map<std::string, View>& tensors() const = 0;
  virtual const std::map<std::string, std::string>& metadata() const = 0;
  Result<View> Find(std::string_view name) const;  // kNotFound
};

// Streams a file whose tensors are all known: header, then each tensor's bytes, to `sink`. Wider types come first, then
// the order is by name (as the reference implementation does it), so every tensor is aligned to its type. The output
// is a pure function of the input: the same tensors give the same bytes. Errors: kInvalidArgument (bytes that do not
// fit the shape, a name or metadata that is no UTF-8), the sink's own.
Status WriteSafetensors(const std::map<std::string, View>& tensors, const std::map<std::string, std::string>& metadata,
                        const std::function<Status(std::span<const std::byte>)>& sink);

// The same for tensors whose bytes come when their turn does. `produce` writes those of the tensor that it is given, in
// as many pieces as it likes. More errors: kInvalidArgument (they are not as many as the shape says), the producer's.
using SafetensorsSink = std::function<Status(std::span<const std::byte>)>;
struct SafetensorsPlan {
  DataType type = DataType::kF32;
  std::vector<int64_t> shape;
};
Status WriteSafetensors(const std::map<std::string, SafetensorsPlan>& plans,
                        const std::map<std::string, std::string>& metadata,
                        const std::function<Status(const std::string& name, const SafetensorsSink& sink)>& produce,
                        const SafetensorsSink& sink);

}  // namespace atelier::tensor

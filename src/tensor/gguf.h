// The GGUF format, versions 2 and 3, single and split (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md):
// metadata and tensors of one model in memory-mapped files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace atelier::tensor {

// How numbers lie in a tensor; the values are the file format's.
enum class GgmlType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kIQ4_NL = 20,
  kIQ4_XS = 23,
  kBF16 = 30,
};

struct GgufTensor {
  GgmlType type = GgmlType::kF32;
  std::vector<int64_t> shape;        // outermost first: [rows, columns]; the file has them the other way round
  std::span<const std::byte> bytes;  // borrowed from the file
};

// How a value of the metadata lies in a file; the values are the file format's.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
  kAny = 0xFFFFFFFF,  // not said
};

// Unsigned and signed integers of every width are widened, as is F32.
struct GgufValue {
  std::variant<uint64_t, int64_t, double, bool, std::string, std::vector<std::string>, std::vector<double>,
               std::vector<int64_t>, std::vector<bool>>
      value;
  // What a file held, of an array its elements: a writer keeps it where the value fits, and chooses where it is kAny.
  GgufType stored = GgufType::kAny;

  bool operator==(const GgufValue& other) const = default;
};

// One model, of one file or of all files NAME-00001-of-0000N.gguf. Fully checked when opened: magic, version, counts,
// string lengths, types, alignment, every offset and size, duplicate names. Immutable, thread-safe. The metadata is
// that of the first file without the keys split.*, which tell of files, not of the model.
class GgufFile {
 public:
  // `file`: the file, or the first of a split model. Errors: kInvalidArgument "invalid_model_file", naming the key or
  // tensor; kNotFound; kUnimplemented for a tensor type of ggml that is not in GgmlType.
  static Result<std::unique_ptr<GgufFile>> Open(const std::filesystem::path& file);
  virtual ~GgufFile() = default;

  virtual const std::map<std::string, GgufValue, std::less<>>& metadata() const = 0;
  virtual const std::map<std::string, GgufTensor, std::less<>>& tensors() const = 0;

  const GgufTensor* Find(std::string_view tensor) const;  // nullptr: absent
  bool Has(std::string_view key) const { return metadata().find(key) != metadata().end(); }
  // Errors: kNotFound (no such key), kInvalidArgument (of another kind, or out of int64's range); both name the key.
  Result<int64_t> Integer(std::string_view key) const;
  Result<double> Number(std::string_view key) const;  // an integer counts
  Result<bool> Boolean(std::string_view key) const;
  Result<std::string> Text(std::string_view key) const;
  Result<std::span<const std::string>> Texts(std::string_view key) const;
  Result<std::span<const double>> Numbers(std::string_view key) const;
  Result<std::span<const int64_t>> Integers(std::string_view key) const;
};

}  // namespace atelier::tensor

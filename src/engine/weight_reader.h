// Reads tensors of a file by name and shape, and remembers which were read.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/weights.h"

namespace atelier::engine {

enum class Need { kMust, kMay };

class WeightReader {
 public:
  explicit WeightReader(const tensor::GgufFile& file) : file_(file) {}

  bool Has(std::string_view name) const { return file_.Find(name) != nullptr; }
  // Rows of `name` if it is a matrix, else 0.
  int64_t RowsOf(std::string_view name) const;

  // Errors: kInvalidArgument naming the tensor. What may be absent and is, is empty.
  Result<Matrix> ReadMatrix(const std::string& name, int64_t rows, int64_t columns, Need need = Need::kMust);
  // `experts` matrices of one tensor [experts, rows, columns].
  Result<std::vector<Matrix>> ReadExperts(const std::string& name, int64_t experts, int64_t rows, int64_t columns);
  // "<name>.weight", and "<name>.bias", which must be there or may.
  Result<Linear> ReadLinear(const std::string& name, int64_t rows, int64_t columns, Need bias = Need::kMay);
  // All numbers of a tensor, whatever its dimensions, as floats.
  Result<std::vector<float>> ReadFloats(const std::string& name, int64_t count, Need need = Need::kMust);
  // "<name>.weight" and, where there is one, "<name>.bias".
  Result<NormWeights> ReadNorm(const std::string& name, int64_t count, Need need = Need::kMust);

  // A tensor that nothing has read and whose name ends in none of these.
  std::optional<std::string> Unread(std::span<const std::string_view> needless) const;

 private:
  const tensor::GgufTensor* Take(const std::string& name);

  const tensor::GgufFile& file_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace atelier::engine

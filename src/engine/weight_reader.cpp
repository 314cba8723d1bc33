#include "engine/weight_reader.h"

#include <algorithm>

#include "tensor/quants/formats.h"
#include "tensor/quants/quants.h"

namespace atelier::engine {
namespace {

Error Bad(const std::string& name, const std::string& what) {
  return InvalidArgument("not a valid model: tensor '" + name + "' " + what, name, "invalid_model_file");
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t dimension : shape) {
    text += (text.empty() ? "[" : ", ") + std::to_string(dimension);
  }
  return text + "]";
}

Error WrongShape(const std::string& name, const tensor::GgufTensor& tensor, const std::vector<int64_t>& expected) {
  return Bad(name, "has the shape " + ShapeText(tensor.shape) + ", not " + ShapeText(expected));
}

// A matrix of these bytes; its rows must be whole blocks.
Result<Matrix> AsMatrix(const std::string& name, const tensor::GgufTensor& tensor, int64_t rows, int64_t columns) {
  const auto row_bytes = tensor::BytesOf(tensor::FormatOf(tensor.type), static_cast<uint64_t>(columns));
  uint64_t all = 0;
  if (!row_bytes.has_value() || __builtin_mul_overflow(*row_bytes, static_cast<uint64_t>(rows), &all) ||
      all > tensor.bytes.size()) {
    return Bad(name, "has not the bytes of its shape");
  }
  return Matrix{.name = name,
                .type = tensor.type,
                .rows = static_cast<size_t>(rows),
                .columns = static_cast<size_t>(columns),
                .row_bytes = *row_bytes,
                .bytes = tensor.bytes.first(all)};
}

}  // namespace

const tensor::GgufTensor* WeightReader::Take(const std::string& name) {
  const auto* tensor = file_.Find(name);
  if (tensor != nullptr) {
    read_.insert(name);
  }
  return tensor;
}

int64_t WeightReader::RowsOf(std::string_view name) const {
  const auto* tensor = file_.Find(name);
  return tensor != nullptr && tensor->shape.size() == 2 ? tensor->shape.front() : 0;
}

Result<Matrix> WeightReader::ReadMatrix(const std::string& name, int64_t rows, int64_t columns, Need need) {
  const auto* tensor = Take(name);
  if (tensor == nullptr) {
    return need == Need::kMust ? Result<Matrix>(Bad(name, "is missing")) : Result<Matrix>(Matrix{});
  }
  const std::vector<int64_t> expected{rows, columns};
  // Outermost dimensions of one may be left out.
  if (tensor->shape != expected && !(rows == 1 && tensor->shape == std::vector<int64_t>{columns})) {
    return WrongShape(name, *tensor, expected);
  }
  return AsMatrix(name, *tensor, rows, columns);
}

Result<std::vector<Matrix>> WeightReader::ReadExperts(const std::string& name, int64_t experts, int64_t rows,
                                                      int64_t columns) {
  const auto* tensor = Take(name);
  if (tensor == nullptr) {
    return Bad(name, "is missing");
  }
  const std::vector<int64_t> expected{experts, rows, columns};
  const bool single = experts == 1 && tensor->shape == std::vector<int64_t>{rows, columns};
  if (tensor->shape != expected && !single) {
    return WrongShape(name, *tensor, expected);
  }
  ATELIER_ASSIGN(all, AsMatrix(name, *tensor, experts * rows, columns));
  std::vector<Matrix> matrices(static_cast<size_t>(experts), all);
  for (size_t i = 0; i < matrices.size(); ++i) {
    matrices[i].rows = static_cast<size_t>(rows);
    matrices[i].bytes = all.Rows(i * matrices[i].rows, matrices[i].rows);
  }
  return matrices;
}

Result<Linear> WeightReader::ReadLinear(const std::string& name, int64_t rows, int64_t columns, Need bias) {
  Linear linear;
  ATELIER_ASSIGN(weight, ReadMatrix(name + ".weight", rows, columns));
  ATELIER_ASSIGN(offsets, ReadFloats(name + ".bias", rows, bias));
  linear.weight = std::move(weight);
  linear.bias = std::move(offsets);
  return linear;
}

Result<std::vector<float>> WeightReader::ReadFloats(const std::string& name, int64_t count, Need need) {
  const auto* tensor = Take(name);
  if (tensor == nullptr) {
    return need == Need::kMust ? Result<std::vector<float>>(Bad(name, "is missing"))
                               : Result<std::vector<float>>(std::vector<float>{});
  }
  int64_t has = 1;
  for (const int64_t dimension : tensor->shape) {
    if (__builtin_mul_overflow(has, dimension, &has)) {
      return WrongShape(name, *tensor, {count});
    }
  }
  if (has != count) {
    return WrongShape(name, *tensor, {count});
  }
  std::vector<float> floats(static_cast<size_t>(count));
  if (const auto status = tensor::Dequantise(tensor->type, tensor->bytes, floats); !status.ok()) {
    return Bad(name, status.error().message);
  }
  return floats;
}

Result<NormWeights> WeightReader::ReadNorm(const std::string& name, int64_t count, Need need) {
  NormWeights norm;
  ATELIER_ASSIGN(weight, ReadFloats(name + ".weight", count, need));
  norm.weight = std::move(weight);
  if (norm.present()) {
    ATELIER_ASSIGN(bias, ReadFloats(name + ".bias", count, Need::kMay));
    norm.bias = std::move(bias);
  }
  return norm;
}

std::optional<std::string> WeightReader::Unread(std::span<const std::string_view> needless) const {
  for (const auto& [name, tensor] : file_.tensors()) {
    const auto ends = [&name = name](std::string_view suffix) { return name.ends_with(suffix); };
    if (!read_.contains(name) && std::ranges::none_of(needless, ends)) {
      return name;
    }
  }
  return std::nullopt;
}

}  // namespace atelier::engine

#include "engine/products.h"

#include <algorithm>
#include <cassert>

#include "tensor/quants/quants.h"

namespace atelier::engine {
namespace {

constexpr size_t kBlockFloats = 32768;  // dequantised, they fit a core's second-level cache
constexpr size_t kRowsAtOnce = 8;       // what the kernels take at once
constexpr size_t kInputsAtOnce = 6;     // the same, of adapted inputs

size_t BlockRows(const Matrix& matrix) {
  return std::clamp(kBlockFloats / matrix.columns / kRowsAtOnce * kRowsAtOnce, kRowsAtOnce, 8 * kRowsAtOnce);
}

size_t Blocks(const Matrix& matrix) { return (matrix.rows + BlockRows(matrix) - 1) / BlockRows(matrix); }

}  // namespace

const float* FloatRows(const Matrix& matrix, size_t first, size_t count, std::vector<float>& scratch) {
  const auto bytes = matrix.Rows(first, count);
  if (matrix.type == tensor::GgmlType::kF32 && reinterpret_cast<uintptr_t>(bytes.data()) % alignof(float) == 0) {
    return reinterpret_cast<const float*>(bytes.data());
  }
  const size_t floats = count * matrix.columns;
  if (scratch.size() < floats) {
    scratch.resize(floats);
  }
  const auto status = tensor::Dequantise(matrix.type, bytes, std::span(scratch).first(floats));
  assert(status.ok());  // the sizes were checked when the matrix was read
  static_cast<void>(status);
  return scratch.data();
}

void Products::Run(std::span<const Product> products) {
  first_blocks_.clear();
  size_t blocks = 0;
  for (const Product& product : products) {
    first_blocks_.push_back(blocks);
    blocks += product.count > 0 ? Blocks(*product.matrix) : 0;
  }
  threads_.ForEach(blocks, [&](size_t index, size_t thread) {
    // The last product that begins here or before; those without blocks begin where the next does.
    const auto after = std::ranges::upper_bound(first_blocks_, index);
    const size_t which = static_cast<size_t>(after - first_blocks_.begin()) - 1;
    const Product& product = products[which];
    const size_t block_rows = BlockRows(*product.matrix);
    const size_t first = (index - first_blocks_[which]) * block_rows;
    RunBlock(product, first, std::min(block_rows, product.matrix->rows - first), scratch_[thread]);
  });
  AddAdapters(products);
}

void Products::AddAdapters(std::span<const Product> products) {
  additions_.clear();
  for (const Product& product : products) {
    for (const AdaptedRows& rows : product.adapted) {
      const LowRank* part = rows.adapter->Find(*product.matrix);
      for (size_t i = 0; part != nullptr && i < rows.count; i += kInputsAtOnce) {
        additions_.push_back({&product, part, rows.first + i, std::min(kInputsAtOnce, rows.count - i)});
      }
    }
  }
  if (!additions_.empty()) {
    threads_.ForEach(additions_.size(), [&](size_t index, size_t thread) { Add(additions_[index], scratch_[thread]); });
  }
}

void Products::Add(const Addition& addition, std::vector<float>& scratch) const {
  const Product& product = *addition.product;
  const LowRank& part = *addition.part;
  const size_t rows = product.matrix->rows;
  const size_t columns = product.matrix->columns;
  scratch.resize(std::max(scratch.size(), addition.count * (part.rank + rows)));
  float* between = scratch.data();
  float* change = between + addition.count * part.rank;
  kernels_.multiply({.weights = part.narrow.data(),
                     .rows = part.rank,
                     .weight_stride = columns,
                     .inputs = product.inputs + addition.first * product.input_stride,
                     .count = addition.count,
                     .input_stride = product.input_stride,
                     .width = columns,
                     .outputs = between,
                     .output_stride = part.rank});
  kernels_.multiply({.weights = part.wide.data(),
                     .rows = rows,
                     .weight_stride = part.rank,
                     .inputs = between,
                     .count = addition.count,
                     .input_stride = part.rank,
                     .width = part.rank,
                     .outputs = change,
                     .output_stride = rows});
  for (size_t j = 0; j < addition.count; ++j) {
    kernels_.add_scaled(product.outputs + (addition.first + j) * product.output_stride, change + j * rows, 1.0F, rows);
  }
}

void Products::RunBlock(const Product& product, size_t first_row, size_t rows, std::vector<float>& scratch) const {
  const Matrix& matrix = *product.matrix;
  kernels_.multiply({.weights = FloatRows(matrix, first_row, rows, scratch),
                     .rows = rows,
                     .weight_stride = matrix.columns,
                     .inputs = product.inputs,
                     .count = product.count,
                     .input_stride = product.input_stride,
                     .width = matrix.columns,
                     .outputs = product.outputs + first_row,
                     .output_stride = product.output_stride});
  if (product.bias.empty()) {
    return;
  }
  for (size_t j = 0; j < product.count; ++j) {
    float* output = product.outputs + j * product.output_stride + first_row;
    for (size_t i = 0; i < rows; ++i) {
      output[i] += product.bias[first_row + i];
    }
  }
}

}  // namespace atelier::engine

#include "engine/products.h"

#include <algorithm>
#include <cassert>

#include "engine/operations.h"
#include "tensor/quants/quants.h"

namespace atelier::engine {
namespace {

constexpr size_t kBlockBytes = 32U << 10U;   // of panels, for less to do between blocks
constexpr size_t kBlocksOfThread = 4;        // at least, so that threads end together
constexpr size_t kBlockFloats = 32768;       // dequantised, they fit a core's second-level cache
constexpr size_t kRowsAtOnce = 32;           // a multiple of what the kernels take at once
constexpr size_t kMostRowsAtOnce = 64;       // of weights that are turned into floats
constexpr size_t kInputBytes = 256U << 10U;  // of inputs that the kernels are given at once
static_assert(kRowsAtOnce % tensor::kMaxPanelRows == 0);
constexpr size_t kAdaptedAtOnce = 6;  // inputs of an adapter that one thread takes

size_t Cells(const Matrix& matrix) { return matrix.columns / tensor::kCellColumns; }

// `few`: a multiple of what the kernels like.
size_t InputsAtOnce(size_t input_bytes, size_t few) {
  return std::max<size_t>(1, kInputBytes / input_bytes / few) * few;
}

// Of weights that are multiplied as integers, or nullptr.
const tensor::PackedFormat* IntegerFormat(const Matrix& matrix) {
  return matrix.panels != nullptr ? tensor::FindPackedFormat(matrix.type) : nullptr;
}

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

size_t Products::BlockRows(const Matrix& matrix, const tensor::PackedFormat* format) const {
  const auto rows = [](size_t wanted) { return std::max<size_t>(1, wanted / kRowsAtOnce) * kRowsAtOnce; };
  if (matrix.panels == nullptr) {
    return std::min(rows(kBlockFloats / matrix.columns), kMostRowsAtOnce);
  }
  const size_t panel_rows = packed_kernels_.panel_rows;
  const size_t row_bytes =
      format != nullptr ? format->panel_bytes(panel_rows, matrix.columns) / panel_rows : matrix.row_bytes;
  return rows(std::min(kBlockBytes / row_bytes, matrix.rows / (kBlocksOfThread * threads_.threads())));
}

size_t Products::MakePlans(std::span<const Product> products) {
  plans_.clear();
  size_t blocks = 0;
  for (const Product& product : products) {
    const tensor::PackedFormat* format = IntegerFormat(*product.matrix);
    const size_t rows = BlockRows(*product.matrix, format);
    plans_.push_back({format, 0, blocks, rows});
    blocks += product.count > 0 ? (product.matrix->rows + rows - 1) / rows : 0;
  }
  return blocks;
}

void Products::RoundInputs(std::span<const Product> products) {
  rounded_inputs_.clear();
  size_t blocks = 0;
  for (size_t i = 0; i < products.size(); ++i) {
    const Product& product = products[i];
    if (plans_[i].format == nullptr || product.count == 0) {
      continue;
    }
    const auto same = std::ranges::find_if(rounded_inputs_, [&](const Rounded& other) {
      return other.product->inputs == product.inputs && other.product->count == product.count &&
             other.product->input_stride == product.input_stride &&
             other.product->matrix->columns == product.matrix->columns;
    });
    plans_[i].rounded = same == rounded_inputs_.end() ? blocks : same->first;
    if (same == rounded_inputs_.end()) {
      rounded_inputs_.push_back({&product, blocks});
      blocks += product.count * Cells(*product.matrix);
    }
  }
  if (rounded_.size() < blocks) {
    rounded_.resize(blocks);
  }
  for (const Rounded& inputs : rounded_inputs_) {
    const Product& product = *inputs.product;
    const size_t cells = Cells(*product.matrix);
    threads_.ForEach(product.count, [&](size_t row, size_t) {
      packed_kernels_.round(product.inputs + row * product.input_stride, cells,
                            rounded_.data() + inputs.first + row * cells);
    });
  }
}

void Products::Run(std::span<const Product> products) {
  const size_t blocks = MakePlans(products);
  RoundInputs(products);
  threads_.ForEach(blocks, [&](size_t index, size_t thread) {
    // The last product that begins here or before; those without blocks begin where the next does.
    const auto after = std::ranges::upper_bound(plans_, index, {}, &Plan::first_block);
    const size_t which = static_cast<size_t>(after - plans_.begin()) - 1;
    RunBlock(products[which], plans_[which], index - plans_[which].first_block, thread);
  });
  AddAdapters(products);
}

void Products::AddAdapters(std::span<const Product> products) {
  additions_.clear();
  for (const Product& product : products) {
    for (const AdaptedRows& rows : product.adapted) {
      const LowRank* part = rows.adapter->Find(*product.matrix);
      for (size_t i = 0; part != nullptr && i < rows.count; i += kAdaptedAtOnce) {
        additions_.push_back({&product, part, rows.first + i, std::min(kAdaptedAtOnce, rows.count - i)});
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
    engine::Add(kernels_, {product.outputs + (addition.first + j) * product.output_stride, rows}, change + j * rows);
  }
}

void Products::RunBlock(const Product& product, const Plan& plan, size_t block, size_t thread) {
  const size_t first_row = block * plan.block_rows;
  const size_t rows = std::min(plan.block_rows, product.matrix->rows - first_row);
  if (plan.format != nullptr) {
    MultiplyPanels(product, plan, first_row, rows);
  } else if (product.matrix->panels != nullptr) {
    MultiplyHalves(product, first_row, rows);
  } else {
    MultiplyFloats(product, first_row, rows, scratch_[thread]);
  }
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

void Products::MultiplyPanels(const Product& product, const Plan& plan, size_t first_row, size_t rows) const {
  const Matrix& matrix = *product.matrix;
  const auto multiply = packed_kernels_.multiply[plan.format - tensor::kPackedFormats];
  const size_t cells = Cells(matrix);
  const size_t panel_rows = packed_kernels_.panel_rows;
  const size_t at_once = InputsAtOnce(cells * sizeof(tensor::ActivationBlock), 48);
  for (size_t input = 0; input < product.count; input += at_once) {
    multiply({.panels = matrix.panels + first_row / panel_rows * plan.format->panel_bytes(panel_rows, matrix.columns),
              .rows = rows,
              .cells = cells,
              .inputs = rounded_.data() + plan.rounded + input * cells,
              .count = std::min(at_once, product.count - input),
              .outputs = product.outputs + input * product.output_stride + first_row,
              .output_stride = product.output_stride});
  }
}

void Products::MultiplyHalves(const Product& product, size_t first_row, size_t rows) const {
  const Matrix& matrix = *product.matrix;
  const auto multiply = matrix.type == tensor::GgmlType::kF16 ? kernels_.multiply_half : kernels_.multiply_bfloat16;
  const size_t at_once = InputsAtOnce(matrix.columns * sizeof(float), 12);
  for (size_t input = 0; input < product.count; input += at_once) {
    multiply({.panels = matrix.panels + first_row * matrix.row_bytes,
              .rows = rows,
              .columns = matrix.columns,
              .inputs = product.inputs + input * product.input_stride,
              .count = std::min(at_once, product.count - input),
              .input_stride = product.input_stride,
              .outputs = product.outputs + input * product.output_stride + first_row,
              .output_stride = product.output_stride});
  }
}

void Products::MultiplyFloats(const Product& product, size_t first_row, size_t rows,
                              std::vector<float>& scratch) const {
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
}

}  // namespace atelier::engine

// Rows of floats, one a word.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace atelier::families::word_vectors {

// All zeros at first. Rows begin on a cache line and are padded with zeros, so that kernels read whole vectors and
// threads that own different columns share no line.
class Table {
 public:
  Table() = default;
  Table(size_t rows, size_t columns)
      : rows_(rows),
        columns_(columns),
        stride_((columns + kLine - 1) / kLine * kLine),
        values_(static_cast<float*>(std::aligned_alloc(kLine * sizeof(float), size() * sizeof(float)))) {
    if (values_ == nullptr) {
      throw std::bad_alloc();
    }
    std::fill_n(values_.get(), size(), 0.0F);
  }

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  size_t width() const { return (columns_ + 7) / 8 * 8; }  // columns that kernels compute
  size_t stride() const { return stride_; }
  float* data() { return values_.get(); }
  const float* data() const { return values_.get(); }
  std::span<float> row(size_t row) { return {values_.get() + row * stride_, columns_}; }
  std::span<const float> row(size_t row) const { return {values_.get() + row * stride_, columns_}; }

 private:
  struct Free {
    void operator()(float* values) const { std::free(values); }
  };
  static constexpr size_t kLine = 16;

  size_t size() const { return rows_ > 0 ? rows_ * stride_ : kLine; }

  size_t rows_ = 0;
  size_t columns_ = 0;
  size_t stride_ = 0;
  std::unique_ptr<float, Free> values_;
};

}  // namespace atelier::families::word_vectors

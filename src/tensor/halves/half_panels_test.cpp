#include "tensor/halves/half_panels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tensor/kernels/float_kernels.h"
#include "tensor/quants/half.h"
#include "tensor/testing/noise.h"

namespace atelier::tensor {
namespace {

using testing::Noise;

constexpr size_t kRows = 75;  // a few panels and a part
constexpr size_t kColumns = 77;
constexpr size_t kCount = 16;

class Halves : public ::testing::TestWithParam<bool> {
 protected:
  Halves() {
    for (const float value : Noise(kRows * kColumns, 1)) {
      const uint16_t bits = GetParam() ? FloatToBfloat16(value) : FloatToHalf(value);
      file_.push_back(static_cast<std::byte>(bits & 0xFF));
      file_.push_back(static_cast<std::byte>(bits >> 8));
      weights_.push_back(GetParam() ? Bfloat16ToFloat(bits) : HalfToFloat(bits));
    }
  }
  std::vector<float> Product(const FloatKernels& kernels, size_t first, size_t count) const {
    const size_t panel_bytes = 2 * kernels.half_panel_rows * kColumns;
    std::vector<std::byte> panels((kRows + kernels.half_panel_rows - 1) / kernels.half_panel_rows * panel_bytes + 4096);
    for (size_t row = 0; row < kRows; row += kernels.half_panel_rows) {
      const size_t rows = std::min(kernels.half_panel_rows, kRows - row);
      PackHalfPanel({std::span(file_).subspan(2 * row * kColumns, 2 * rows * kColumns), rows, kColumns,
                     kernels.half_panel_rows, GetParam()},
                    std::span(panels).subspan(row / kernels.half_panel_rows * panel_bytes, panel_bytes));
    }
    std::vector<float> outputs(count * kRows + 1, 99.0F);
    (GetParam() ? kernels.multiply_bfloat16 : kernels.multiply_half)({.panels = panels.data(),
                                                                      .rows = kRows,
                                                                      .columns = kColumns,
                                                                      .inputs = inputs_.data() + first * kColumns,
                                                                      .count = count,
                                                                      .input_stride = kColumns,
                                                                      .outputs = outputs.data(),
                                                                      .output_stride = kRows});
    EXPECT_EQ(outputs.back(), 99.0F) << kernels.name;
    outputs.pop_back();
    return outputs;
  }

  std::vector<std::byte> file_;
  std::vector<float> weights_;  // [kRows, kColumns]
  const std::vector<float> inputs_ = Noise(kCount * kColumns, 2);
};

TEST_P(Halves, AgreeWithDoublesOnEveryInstructionSet) {
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    const auto outputs = Product(*kernels, 0, kCount);
    for (size_t j = 0; j < kCount; ++j) {
      for (size_t i = 0; i < kRows; ++i) {
        double expected = 0;
        for (size_t k = 0; k < kColumns; ++k) {
          expected += static_cast<double>(weights_[i * kColumns + k]) * inputs_[j * kColumns + k];
        }
        EXPECT_NEAR(outputs[j * kRows + i], expected, 2e-5) << kernels->name << ' ' << i << ", " << j;
      }
    }
  }
}

TEST_P(Halves, AnOutputIsTheSameBitsInEveryBlock) {
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    const auto together = Product(*kernels, 0, kCount);
    for (size_t first = 0; first < kCount; ++first) {
      for (size_t count = 1; first + count <= kCount; ++count) {
        const auto part = Product(*kernels, first, count);
        EXPECT_TRUE(std::equal(part.begin(), part.end(), together.begin() + static_cast<ptrdiff_t>(first * kRows)))
            << kernels->name << ' ' << first << ' ' << count;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Halves, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "BF16" : "F16"; });

}  // namespace
}  // namespace atelier::tensor

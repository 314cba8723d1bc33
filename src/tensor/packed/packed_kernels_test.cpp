#include "tensor/packed/packed_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/packed/pack.h"
#include "tensor/quants/formats.h"
#include "tensor/quants/quants.h"
#include "tensor/testing/noise.h"

namespace atelier::tensor {

static void PrintTo(const PackedFormat& format, std::ostream* out) { *out << FormatOf(format.type).name; }

namespace {

using testing::Noise;

constexpr size_t kRows = 37;  // two panels or more and a part
constexpr size_t kColumns = 768;
constexpr size_t kCells = kColumns / kCellColumns;
constexpr size_t kInputs = 69;  // more than any kernels take at once

class Packed : public ::testing::TestWithParam<PackedFormat> {
 protected:
  void SetUp() override {
    const size_t row_bytes = *BytesOf(FormatOf(GetParam().type), kColumns);
    file_.resize(kRows * row_bytes);
    ASSERT_TRUE(Quantise(GetParam().type, Noise(kRows * kColumns, 1), file_).ok());
    weights_.resize(kRows * kColumns);
    ASSERT_TRUE(Dequantise(GetParam().type, file_, weights_).ok());
    inputs_.resize(kInputs * kCells);
    UsablePackedKernels().front()->round(Noise(kInputs * kColumns, 2).data(), inputs_.size(), inputs_.data());
  }
  std::vector<std::byte> Panels(size_t panel_rows) const {
    const size_t row_bytes = file_.size() / kRows;
    const size_t panel_bytes = GetParam().panel_bytes(panel_rows, kColumns);
    std::vector<std::byte> panels((kRows + panel_rows - 1) / panel_rows * panel_bytes);
    for (size_t row = 0; row < kRows; row += panel_rows) {
      const size_t count = std::min(panel_rows, kRows - row);
      PackPanel({GetParam(), std::span(file_).subspan(row * row_bytes, count * row_bytes), count, kColumns, panel_rows},
                std::span(panels).subspan(row / panel_rows * panel_bytes, panel_bytes));
    }
    return panels;
  }
  std::vector<float> Product(const PackedKernels& kernels, size_t first, size_t count) const {
    std::vector<float> outputs(count * kRows + 1, 99.0F);
    const auto which = static_cast<size_t>(FindPackedFormat(GetParam().type) - kPackedFormats);
    const auto panels = Panels(kernels.panel_rows);
    kernels.multiply[which]({.panels = panels.data(),
                             .rows = kRows,
                             .cells = kCells,
                             .inputs = inputs_.data() + first * kCells,
                             .count = count,
                             .outputs = outputs.data(),
                             .output_stride = kRows});
    EXPECT_EQ(outputs.back(), 99.0F);
    outputs.pop_back();
    return outputs;
  }

  std::vector<std::byte> file_;          // the rows as they lie in a file
  std::vector<float> weights_;           // [kRows, kColumns]
  std::vector<ActivationBlock> inputs_;  // [kInputs, kCells]
};

TEST_P(Packed, IsTheProductOfTheDequantisedWeights) {
  const auto outputs = Product(*UsablePackedKernels().front(), 0, kInputs);
  for (size_t input = 0; input < kInputs; ++input) {
    for (size_t row = 0; row < kRows; ++row) {
      double expected = 0;
      for (size_t i = 0; i < kColumns; ++i) {
        const ActivationBlock& block = inputs_[input * kCells + i / kCellColumns];
        expected += static_cast<double>(weights_[row * kColumns + i]) * block.scale * block.level[i % kCellColumns];
      }
      EXPECT_NEAR(outputs[input * kRows + row], expected, 2e-3) << row << ", " << input;
    }
  }
}

TEST_P(Packed, EveryInstructionSetGivesTheSameBits) {
  const auto expected = Product(*UsablePackedKernels().front(), 0, kInputs);
  for (const PackedKernels* kernels : UsablePackedKernels()) {
    EXPECT_EQ(Product(*kernels, 0, kInputs), expected) << kernels->name;
  }
}

TEST_P(Packed, AnOutputIsTheSameBitsInEveryBlock) {
  for (const PackedKernels* kernels : UsablePackedKernels()) {
    const auto together = Product(*kernels, 0, kInputs);
    for (const size_t count : {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 31, 64}) {
      const size_t first = 7 * count % (kInputs - count + 1);
      const auto part = Product(*kernels, first, count);
      EXPECT_TRUE(std::equal(part.begin(), part.end(), together.begin() + static_cast<ptrdiff_t>(first * kRows)))
          << kernels->name << ' ' << first << ' ' << count;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Packed, ::testing::ValuesIn(kPackedFormats),
                         [](const auto& info) { return std::string(FormatOf(info.param.type).name); });

TEST(RoundedActivations, AreTheNearestLevelsOnEveryInstructionSet) {
  auto values = Noise(kColumns, 3);
  std::fill_n(values.begin(), kCellColumns, 0.0F);
  values[40] = 1e-40F;
  std::fill_n(values.begin() + 64, kCellColumns, 1e-42F);
  std::vector<ActivationBlock> expected(kCells);
  UsablePackedKernels().front()->round(values.data(), kCells, expected.data());
  for (size_t i = 0; i < kColumns; ++i) {
    const ActivationBlock& block = expected[i / kCellColumns];
    EXPECT_LE(std::fabs(block.scale * block.level[i % kCellColumns] - values[i]), block.scale * 0.5001F + 1e-37F) << i;
  }
  for (const PackedKernels* kernels : UsablePackedKernels()) {
    std::vector<ActivationBlock> rounded(kCells);
    kernels->round(values.data(), kCells, rounded.data());
    for (size_t cell = 0; cell < kCells; ++cell) {
      EXPECT_EQ(rounded[cell].scale, expected[cell].scale) << kernels->name;
      EXPECT_TRUE(std::ranges::equal(rounded[cell].level_sums, expected[cell].level_sums)) << kernels->name;
      EXPECT_TRUE(std::ranges::equal(rounded[cell].sums, expected[cell].sums)) << kernels->name;
      EXPECT_TRUE(std::equal(rounded[cell].level, rounded[cell].level + kCellColumns, expected[cell].level))
          << kernels->name << ' ' << cell;
    }
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
      auto broken = values;
      broken[kColumns - 1] = bad;
      kernels->round(broken.data(), kCells, rounded.data());
      EXPECT_TRUE(std::isnan(rounded[kCells - 1].scale)) << kernels->name;
      EXPECT_FALSE(std::isnan(rounded[kCells - 2].scale)) << kernels->name;
    }
  }
}

}  // namespace
}  // namespace atelier::tensor

#include "tensor/kernels/float_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tensor/testing/noise.h"

namespace atelier::tensor {
namespace {

using testing::Noise;

struct Case {
  size_t rows;
  size_t count;
  size_t width;
};

std::vector<float> Multiply(const FloatKernels& kernels, const Case& shape, const std::vector<float>& weights,
                            const std::vector<float>& inputs) {
  std::vector<float> outputs(shape.count * shape.rows, NAN);
  kernels.multiply({.weights = weights.data(),
                    .rows = shape.rows,
                    .weight_stride = shape.width,
                    .inputs = inputs.data(),
                    .count = shape.count,
                    .input_stride = shape.width,
                    .width = shape.width,
                    .outputs = outputs.data(),
                    .output_stride = shape.rows});
  return outputs;
}

TEST(FloatKernels, EveryInstructionSetAgreesWithDoubles) {
  for (const Case shape : {Case{1, 1, 1}, Case{3, 2, 7}, Case{8, 3, 8}, Case{9, 4, 65}, Case{17, 7, 300}}) {
    const auto weights = Noise(shape.rows * shape.width, 1);
    const auto inputs = Noise(shape.count * shape.width, 2);
    for (const FloatKernels* kernels : UsableFloatKernels()) {
      const auto outputs = Multiply(*kernels, shape, weights, inputs);
      for (size_t j = 0; j < shape.count; ++j) {
        for (size_t i = 0; i < shape.rows; ++i) {
          double expected = 0;
          for (size_t k = 0; k < shape.width; ++k) {
            expected += static_cast<double>(weights[i * shape.width + k]) * inputs[j * shape.width + k];
          }
          EXPECT_NEAR(outputs[j * shape.rows + i], expected, 1e-5 * (1 + std::sqrt(shape.width))) << kernels->name;
        }
      }
    }
  }
}

TEST(FloatKernels, AnOutputIsTheSameBitsInEveryBlock) {
  const size_t width = 77;
  const auto weights = Noise(21 * width, 3);
  const auto inputs = Noise(13 * width, 4);
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    const auto together = Multiply(*kernels, {21, 13, width}, weights, inputs);
    for (size_t j = 0; j < 13; ++j) {
      for (size_t i = 0; i < 21; ++i) {
        const std::vector<float> row(weights.begin() + static_cast<long>(i * width),
                                     weights.begin() + static_cast<long>((i + 1) * width));
        const std::vector<float> input(inputs.begin() + static_cast<long>(j * width),
                                       inputs.begin() + static_cast<long>((j + 1) * width));
        EXPECT_EQ(Multiply(*kernels, {1, 1, width}, row, input).front(), together[j * 21 + i]) << kernels->name;
      }
    }
  }
}

}  // namespace
}  // namespace atelier::tensor

#include "tensor/kernels/float_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace atelier::tensor {
namespace {

std::vector<float> Noise(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) {
    value = normal(random);
  }
  return values;
}

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

template <class Stored>
void ExpectAsFloats(const FloatKernels& kernels, void (*multiply)(const MatrixBlockOf<Stored>&)) {
  const Case shape{9, 5, 77};
  std::vector<Stored> stored(shape.rows * shape.width);
  std::vector<float> weights(stored.size());
  for (size_t i = 0; i < stored.size(); ++i) {
    stored[i].bytes = {static_cast<uint8_t>(i * 37), static_cast<uint8_t>((i % 40) + 30)};  // 2^-7 to 2^2 in F16
    weights[i] = stored[i].value();
  }
  const auto inputs = Noise(shape.count * shape.width, 2);
  std::vector<float> outputs(shape.count * shape.rows);
  multiply(MatrixBlockOf<Stored>{stored.data(), shape.rows, shape.width, inputs.data(), shape.count, shape.width,
                                 shape.width, outputs.data(), shape.rows});
  EXPECT_EQ(outputs, Multiply(kernels, shape, weights, inputs)) << kernels.name;
}

TEST(FloatKernels, SixteenBitWeightsGiveTheBitsOfFloats) {
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    ExpectAsFloats<StoredHalf>(*kernels, kernels->multiply_half);
    ExpectAsFloats<StoredBfloat16>(*kernels, kernels->multiply_bfloat16);
  }
}

TEST(FloatKernels, AttentionAgreesWithDoubles) {
  for (const Case shape :
       {Case{5, 7, 3}, Case{1, 1, 64}, Case{2, 16, 80}, Case{3, 13, 20}}) {  // rows: queries, count: positions
    const size_t stride = shape.count + 3;
    const auto queries = Noise(shape.rows * shape.width, 1);
    const auto keys = Noise(shape.width * stride, 2);
    const auto weights = Noise(shape.rows * stride, 3);
    const auto values = Noise(shape.count * shape.width, 4);
    for (const FloatKernels* kernels : UsableFloatKernels()) {
      std::vector<float> scores(shape.rows * stride, 99);
      kernels->score({queries.data(), shape.rows, shape.width, keys.data(), stride, shape.width, shape.count,
                      scores.data(), stride});
      auto sums = Noise(shape.rows * shape.width, 5);
      const auto before = sums;
      kernels->weigh(
          {weights.data(), shape.rows, stride, values.data(), shape.count, shape.width, sums.data(), shape.width});
      for (size_t row = 0; row < shape.rows; ++row) {
        for (size_t p = 0; p < shape.count; ++p) {
          double expected = 0;
          for (size_t k = 0; k < shape.width; ++k) {
            expected += static_cast<double>(queries[row * shape.width + k]) * keys[k * stride + p];
          }
          EXPECT_NEAR(scores[row * stride + p], expected, 2e-5) << kernels->name;
        }
        EXPECT_EQ(scores[row * stride + shape.count], 99) << kernels->name;
        for (size_t k = 0; k < shape.width; ++k) {
          double expected = before[row * shape.width + k];
          for (size_t p = 0; p < shape.count; ++p) {
            expected += static_cast<double>(weights[row * stride + p]) * values[p * shape.width + k];
          }
          EXPECT_NEAR(sums[row * shape.width + k], expected, 2e-5) << kernels->name;
        }
      }
    }
  }
}

TEST(FloatKernels, ExponentialsAreThoseOfTheLibrary) {
  std::vector<float> values;
  for (float x = -100; x <= 88; x += 0.37F) {
    values.push_back(x);
  }
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    auto powers = values;
    kernels->exponentials(powers.data(), 0, powers.size());
    auto gates = values;
    kernels->silu(gates.data(), gates.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const double expected = std::exp(static_cast<double>(values[i]));
      EXPECT_NEAR(powers[i], expected, 3e-7 * expected + 2e-38) << kernels->name << ' ' << values[i];
      const double gate = values[i] / (1 + std::exp(-static_cast<double>(values[i])));
      EXPECT_NEAR(gates[i], gate, 5e-7 * std::abs(gate) + 2e-36) << kernels->name << ' ' << values[i];
    }
    float nan[3] = {0, std::numeric_limits<float>::quiet_NaN(), 1};
    kernels->exponentials(nan, 0, 3);
    EXPECT_TRUE(std::isnan(nan[1]) && nan[0] == 1) << kernels->name;
  }
}

}  // namespace
}  // namespace atelier::tensor

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/testing/shared_data.h"
#include "tensor/quants/blocks.h"
#include "tensor/quants/fit.h"
#include "tensor/quants/formats.h"
#include "tensor/quants/quants.h"
#include "tensor/testing/sample_weights.h"
#include "tensor/testing/shared_data.h"

namespace atelier::tensor {
namespace {

constexpr size_t kSampleWeights = 65536;

// There and back.
std::vector<float> Through(GgmlType type, const std::vector<float>& weights) {
  std::vector<std::byte> bytes(*BytesOf(FormatOf(type), weights.size()));
  const auto written = Quantise(type, weights, bytes);
  EXPECT_TRUE(written.ok()) << FormatOf(type).name << ": " << (written.ok() ? "" : written.error().message);
  std::vector<float> back(weights.size());
  EXPECT_TRUE(Dequantise(type, bytes, back).ok());
  return back;
}

// The root of the mean squared error, relative to that of the weights.
double RelativeError(const std::vector<float>& weights, const std::vector<float>& back) {
  double errors = 0;
  double squares = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    errors += std::pow(static_cast<double>(back[i]) - weights[i], 2);
    squares += std::pow(static_cast<double>(weights[i]), 2);
  }
  return std::sqrt(errors / squares);
}

struct Expected {
  GgmlType type;
  double error;
};

// The searched formats against what the reference quantisers (no importance matrix) were measured to leave of the same
// weights; the others against the width of their steps.
TEST(QuantiseTest, ErrsNoMoreThanTheReference) {
  const auto weights = testing::SampleWeights(kSampleWeights);
  const std::vector<Expected> reference{
      {GgmlType::kQ2_K, 0.311137},   {GgmlType::kQ3_K, 0.166366}, {GgmlType::kQ4_K, 0.076763},
      {GgmlType::kQ5_K, 0.038964},   {GgmlType::kQ6_K, 0.020047}, {GgmlType::kIQ4_NL, 0.084770},
      {GgmlType::kIQ4_XS, 0.086014}, {GgmlType::kQ4_0, 0.1020},   {GgmlType::kQ4_1, 0.0832},
      {GgmlType::kQ5_0, 0.0505},     {GgmlType::kQ5_1, 0.0404},   {GgmlType::kQ8_0, 0.00638},
      {GgmlType::kF16, 0.000209},    {GgmlType::kBF16, 0.00169}};
  for (const auto& [type, error] : reference) {
    EXPECT_LE(RelativeError(weights, Through(type, weights)), error * 1.02) << FormatOf(type).name;
  }
  EXPECT_EQ(Through(GgmlType::kF32, weights), weights);
}

using Blocks = std::vector<uint8_t>;

template <size_t weights_count>
Blocks Encoded(GgmlType type, const std::array<float, weights_count>& weights) {
  std::vector<std::byte> bytes(*BytesOf(FormatOf(type), weights.size()));
  EXPECT_TRUE(Quantise(type, weights, bytes).ok());
  Blocks blocks;
  std::ranges::transform(bytes, std::back_inserter(blocks), [](std::byte byte) { return static_cast<uint8_t>(byte); });
  return blocks;
}

// By hand, from the formulas: -8 is the peak, so the scale is 1 and level 0 is -8.
TEST(QuantiseTest, PacksASimpleBlockByHand) {
  std::array<float, 32> weights{};
  weights[0] = -8;
  weights[1] = 3.4F;
  weights[16] = 7;
  weights[17] = -2.6F;
  Blocks expected(18, 0x88);
  expected[0] = 0x00;  // 1.0
  expected[1] = 0x3C;
  expected[2] = 0xF0;
  expected[3] = 0x5B;
  EXPECT_EQ(Encoded(GgmlType::kQ4_0, weights), expected);
}

struct Source {
  const char* model;
  const char* finer;  // of the same weights
};

// The bytes that the reference made of the same weights. Only coarse formats of one scale a block follow its formulas
// to the byte, and the weights are known only through a finer format, so a level next to a border may differ.
TEST(QuantiseTest, AgreesWithTheBlocksOfGoldenModels) {
  const auto folder = SharedData() / "golden" / "llm" / "models";
  if (!std::filesystem::is_directory(folder)) {
    GTEST_SKIP() << "no shared data";
  }
  for (const std::string family : {"llama", "qwen2"}) {
    for (const auto& [model, finer] : {Source{"Q4_0", "Q8_0"},
                                       {"Q4_1", "Q8_0"},
                                       {"Q5_0", "Q8_0"},
                                       {"Q5_1", "Q8_0"},
                                       {"IQ4_NL", "Q8_0"},
                                       {"Q4_K", "Q6_K"},
                                       {"Q3_K", "Q6_K"},
                                       {"Q2_K", "Q6_K"},
                                       {"Q5_K", "Q6_K"}}) {
      auto coarse_file = GgufFile::Open(folder / (family + "-" + model + ".gguf"));
      auto finer_file = GgufFile::Open(folder / (family + "-" + finer + ".gguf"));
      ASSERT_TRUE(coarse_file.ok() && finer_file.ok());
      std::vector<float> weights;
      std::vector<float> theirs;
      std::vector<float> ours;
      for (const auto& [name, tensor] : (*coarse_file)->tensors()) {
        const GgufTensor* source = (*finer_file)->Find(name);
        if (tensor.type == GgmlType::kF32 || source == nullptr || source->shape != tensor.shape) {
          continue;
        }
        const auto count = static_cast<size_t>(tensor.shape[0] * tensor.shape[1]);
        std::vector<float> part(count);
        std::vector<float> back(count);
        ASSERT_TRUE(Dequantise(source->type, source->bytes, part).ok());
        ASSERT_TRUE(Dequantise(tensor.type, tensor.bytes, back).ok());
        weights.insert(weights.end(), part.begin(), part.end());
        theirs.insert(theirs.end(), back.begin(), back.end());
        const auto through = Through(tensor.type, part);
        ours.insert(ours.end(), through.begin(), through.end());
      }
      ASSERT_FALSE(weights.empty()) << family << " " << model;
      EXPECT_LE(RelativeError(weights, ours), 1.02 * RelativeError(weights, theirs)) << family << " " << model;
    }
  }
}

// Zeros stay zeros; a constant block, a single spike and denormal weights stay near what they are.
TEST(QuantiseTest, TakesDegenerateBlocks) {
  for (const auto& format : BlockFormats()) {
    if (!format.supported) {
      continue;
    }
    const auto type = static_cast<GgmlType>(format.id);
    const std::vector<float> zeros(512, 0.0F);
    EXPECT_EQ(Through(type, zeros), zeros) << format.name;
    for (const float level : {1.0F, -1.0F, 1e-3F, -30000.0F}) {
      const std::vector<float> constant(512, level);
      EXPECT_LE(RelativeError(constant, Through(type, constant)), 0.05) << format.name << " " << level;
    }
    std::vector<float> spike(512, 0.0F);
    spike[100] = 5;
    EXPECT_LE(RelativeError(spike, Through(type, spike)), 0.05) << format.name;
    for (const float tiny : {1e-38F, 1e-42F, -1e-20F, 3e-8F}) {
      for (const float back : Through(type, std::vector<float>(512, tiny))) {
        ASSERT_LE(std::fabs(back), 1e-6F) << format.name << " " << tiny;
      }
    }
  }
}

TEST(QuantiseTest, RefusesWhatNoFormatHolds) {
  for (const auto& format : BlockFormats()) {
    if (!format.supported || format.weights == 1) {
      continue;
    }
    const auto type = static_cast<GgmlType>(format.id);
    std::vector<std::byte> bytes(*BytesOf(format, 512));
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::max(), std::numeric_limits<float>::max(), 9e8F}) {
      std::vector<float> weights(512, 1.0F);
      weights[300] = bad;
      const auto status = Quantise(type, weights, bytes);
      ASSERT_FALSE(status.ok()) << format.name << " " << bad;
      EXPECT_EQ(status.error().code, Code::kInvalidArgument);
      EXPECT_THAT(status.error().message, ::testing::HasSubstr(format.weights == 32 ? "288 to 319" : "256 to 511"));
    }
    EXPECT_FALSE(Quantise(type, std::vector<float>(511), bytes).ok());
    EXPECT_FALSE(Quantise(type, std::vector<float>(512), std::span(bytes).first(bytes.size() - 1)).ok());
  }
  EXPECT_TRUE(Quantise(GgmlType::kQ4_K, {}, {}).ok());
}

TEST(QuantiseTest, PacksScalesThatUnpack) {
  Bytes<12> pairs{};
  Bytes<12> sixteen{};
  for (size_t i = 0; i < 8; ++i) {
    SetScaleMinimum(pairs, i, {static_cast<uint8_t>(63 - 7 * i), static_cast<uint8_t>(9 * i)});
  }
  for (size_t i = 0; i < 16; ++i) {
    SetQ3KScale(sixteen, i, static_cast<uint8_t>(63 - 4 * i));
  }
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(GetScaleMinimum(pairs, i).scale, 63 - 7 * i);
    EXPECT_EQ(GetScaleMinimum(pairs, i).minimum, 9 * i);
  }
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(GetQ3KScale(sixteen, i), 63 - 4 * i);
  }
}

TEST(FitTest, FindsExactScales) {
  std::array<float, 16> weights{};
  std::array<float, 16> importances{};
  importances.fill(1);
  for (size_t i = 0; i < 16; ++i) {
    weights[i] = 0.25F * static_cast<float>(i) - 2;
  }
  EXPECT_NEAR(FitScale(weights, importances, {-8, 7}), 0.25F, 1e-6F);
  const Line line = FitLine(weights, importances, 15);
  EXPECT_NEAR(line.scale, 0.25F, 1e-6F);
  EXPECT_NEAR(line.offset, -2.0F, 1e-5F);
  for (size_t i = 0; i < 16; ++i) {
    weights[i] = -0.5F * static_cast<float>(kIq4Values[i]);
    EXPECT_EQ(NearestIq4(static_cast<float>(kIq4Values[i])), i);
  }
  EXPECT_NEAR(FitIq4(weights, importances), -0.5F, 1e-6F);
  EXPECT_EQ(NearestIq4(-1e30F), 0);
  EXPECT_EQ(NearestIq4(1e30F), 15);
  EXPECT_EQ(NearestIq4(-4.5F), 8);  // the middle goes up
  EXPECT_EQ(NearestIq4(-4.6F), 7);
}

}  // namespace
}  // namespace atelier::tensor

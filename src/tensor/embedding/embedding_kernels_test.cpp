#include "tensor/embedding/embedding_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tensor/testing/noise.h"

namespace atelier::tensor {
namespace {

using testing::Noise;
using Floats = std::vector<float>;
using Ids = std::vector<int32_t>;

// NumPy in float64 from these rows, rate 0.5: g = rate * (label - sigmoid(outputs @ mean(inputs))), then the updates of
// RowStep one target after the other.
constexpr size_t kWidth = 8;
const Floats kInputs{0.00F,  0.30F, -0.27F, -0.89F, -0.45F, -0.99F, 0.06F,  1.34F,  -0.49F, -0.62F, 0.49F,
                     0.36F,  0.11F, -0.93F, -0.03F, 0.70F,  -1.34F, -0.46F, -1.90F, -1.29F, -1.84F, -0.24F,
                     -1.27F, 0.27F, 0.16F,  -0.19F, -2.52F, -0.54F, -0.05F, 0.11F,  -1.53F, -0.48F};
const Floats kOutputs{-0.98F, -0.81F, 1.06F,  -0.81F, -0.03F, 0.88F,  -0.58F, -0.11F, 0.11F,  0.06F, -1.23F,
                      0.08F,  1.36F,  -1.55F, 0.86F,  0.12F,  -0.64F, 2.00F,  0.76F,  -1.20F, 0.07F, 0.58F,
                      -0.19F, 0.68F,  -0.07F, 0.67F,  1.44F,  -0.68F, 0.20F,  -0.46F, 0.13F,  -1.19F};

struct Lesson {
  std::string name;
  Ids contexts;
  Ids targets;
  Floats labels;
  Floats gradients;
  Floats inputs;
  Floats outputs;
};

const std::vector<Lesson>& Lessons() {
  static const std::vector<Lesson> kLessons{
      {"cbow",
       {0, 2},
       {1, 3, 0},
       {1, 0, 0},
       {0.232379F, -0.070283F, -0.276117F},
       {0.301076F,  0.490508F,  -0.949718F, -0.599963F, -0.139737F, -1.560841F, 0.410857F,  1.481895F,
        -0.490000F, -0.620000F, 0.490000F,  0.360000F,  0.110000F,  -0.930000F, -0.030000F, 0.700000F,
        -1.038924F, -0.269492F, -2.579718F, -0.999963F, -1.529737F, -0.810841F, -0.919143F, 0.411895F,
        0.160000F,  -0.190000F, -2.520000F, -0.540000F, -0.050000F, 0.110000F,  -1.530000F, -0.480000F},
       {-0.795002F, -0.787911F, 1.359587F,  -0.509033F, 0.286154F, 1.049812F,  -0.412949F, -0.332274F,
        -0.045694F, 0.041410F,  -1.482132F, -0.173293F, 1.093926F, -1.692913F, 0.719411F,  0.307065F,
        -0.640000F, 2.000000F,  0.760000F,  -1.200000F, 0.070000F, 0.580000F,  -0.190000F, 0.680000F,
        -0.022911F, 0.675623F,  1.516257F,  -0.603392F, 0.280474F, -0.416776F, 0.172521F,  -1.246578F}},
      {"skip-gram",
       {3},
       {0, 2, 2, 1},
       {1, 0, 1, 0},
       {0.384102F, -0.075614F, 0.424386F, -0.405053F},
       {0.000000F,  0.300000F,  -0.270000F, -0.890000F, -0.450000F, -0.990000F, 0.060000F,  1.340000F,
        -0.490000F, -0.620000F, 0.490000F,  0.360000F,  0.110000F,  -0.930000F, -0.030000F, 0.700000F,
        -1.340000F, -0.460000F, -1.900000F, -1.290000F, -1.840000F, -0.240000F, -1.270000F, 0.270000F,
        -0.489324F, 0.178215F,  -1.268704F, -1.284725F, -0.586377F, 1.274600F,  -2.118295F, -0.318290F},
       {-0.918544F, -0.882979F, 0.092062F,  -1.017415F, -0.049205F, 0.922251F,  -1.167676F, -0.294369F,
        0.045192F,  0.136960F,  -0.209266F, 0.298729F,  1.380253F,  -1.594556F, 1.479731F,  0.314425F,
        -0.584197F, 1.933733F,  -0.118905F, -1.388337F, 0.052561F,  0.618365F,  -0.723621F, 0.512590F,
        -0.070000F, 0.670000F,  1.440000F,  -0.680000F, 0.200000F,  -0.460000F, 0.130000F,  -1.190000F}}};
  return kLessons;
}

void ExpectNear(const Floats& actual, const Floats& expected, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 5e-6) << what << " " << i;
  }
}

TEST(EmbeddingKernels, OneLessonIsNumPys) {
  for (const EmbeddingKernels* kernels : UsableEmbeddingKernels()) {
    for (const Lesson& lesson : Lessons()) {
      const std::string what = std::string(kernels->name) + " " + lesson.name;
      Floats inputs = kInputs;
      Floats outputs = kOutputs;
      Floats mean(kWidth);
      Floats gradients(lesson.targets.size());
      kernels->mean(inputs.data(), kWidth, lesson.contexts, mean);
      kernels->score(
          {mean.data(), outputs.data(), kWidth, lesson.targets.data(), gradients.size(), kWidth, gradients.data()});
      kernels->sigmoid(gradients.data(), -0.5F, gradients.size());
      for (size_t i = 0; i < gradients.size(); ++i) {
        gradients[i] += 0.5F * lesson.labels[i];
      }
      ExpectNear(gradients, lesson.gradients, what + " gradients");
      kernels->step({.inputs = inputs.data(),
                     .contexts = lesson.contexts.data(),
                     .context_count = lesson.contexts.size(),
                     .outputs = outputs.data(),
                     .targets = lesson.targets.data(),
                     .gradients = gradients.data(),
                     .target_count = gradients.size(),
                     .stride = kWidth,
                     .begin = 0,
                     .end = kWidth});
      ExpectNear(inputs, lesson.inputs, what + " inputs");
      ExpectNear(outputs, lesson.outputs, what + " outputs");
    }
  }
}

TEST(EmbeddingKernels, OneStepOfAdagradIsNumPys) {
  for (const EmbeddingKernels* kernels : UsableEmbeddingKernels()) {
    Floats first(kInputs.begin(), kInputs.begin() + kWidth);
    Floats second(kOutputs.begin(), kOutputs.begin() + kWidth);
    Floats first_squares(kWidth, 1);
    Floats second_squares(kWidth, 2);
    kernels->adagrad({first.data(), first_squares.data(), second.data(), second_squares.data(), kWidth, 3, 0.1F, 2.5F});
    ExpectNear(first, {0.250000F, 0.543000F, -0.520000F, -0.647000F, -0.441000F, -1.240000F, 0.234000F, 1.373000F},
               "first");
    ExpectNear(second, {-0.980000F, -0.873640F, 1.117276F, -0.633223F, 0.065459F, 1.056777F, -0.592728F, -0.286777F},
               "second");
    ExpectNear(first_squares, {1.062500F, 1.059049F, 1.062500F, 1.059049F, 1.000081F, 1.062500F, 1.030276F, 1.001089F},
               "first squares");
    ExpectNear(second_squares, {2.000000F, 2.008100F, 2.006561F, 2.062500F, 2.018225F, 2.062500F, 2.000324F, 2.062500F},
               "second squares");
  }
}

TEST(EmbeddingKernels, EveryWidthAgreesWithDoubles) {
  const size_t stride = 176;
  const Floats table = Noise(9 * stride, 1);
  const Floats input = Noise(stride, 2);
  const Ids ids{8, 0, 3, 3, 1, 7, 2};
  for (const EmbeddingKernels* kernels : UsableEmbeddingKernels()) {
    for (const size_t width : {8UL, 16UL, 56UL, 104UL, 168UL}) {
      Floats scores(ids.size());
      kernels->score({input.data(), table.data(), stride, ids.data(), ids.size(), width, scores.data()});
      for (size_t i = 0; i < ids.size(); ++i) {
        const float* row = table.data() + static_cast<size_t>(ids[i]) * stride;
        double expected = 0;
        for (size_t k = 0; k < width; ++k) {
          expected += static_cast<double>(row[k]) * input[k];
        }
        EXPECT_NEAR(scores[i], expected, 1e-4) << kernels->name << " " << width;
        EXPECT_NEAR(kernels->dot(row, input.data(), width), expected, 1e-4) << kernels->name << " " << width;
      }
    }
  }
}

// Threads share a lesson by columns: parts must make up the whole, to the bit.
TEST(EmbeddingKernels, AStepInPartsIsTheWholeStep) {
  const size_t stride = 112;
  const Ids contexts{1, 4};
  const Ids targets{0, 2, 2, 5};
  const Floats gradients{0.3F, -0.1F, 0.2F, -0.4F};
  for (const EmbeddingKernels* kernels : UsableEmbeddingKernels()) {
    const auto learn = [&](const std::vector<size_t>& borders) {
      Floats inputs = Noise(6 * stride, 3);
      Floats outputs = Noise(6 * stride, 4);
      for (size_t i = 0; i + 1 < borders.size(); ++i) {
        kernels->step({inputs.data(), contexts.data(), contexts.size(), outputs.data(), targets.data(),
                       gradients.data(), targets.size(), stride, borders[i], borders[i + 1]});
      }
      inputs.insert(inputs.end(), outputs.begin(), outputs.end());
      return inputs;
    };
    EXPECT_EQ(learn({0, 104}), learn({0, 16, 48, 104})) << kernels->name;
    EXPECT_NE(learn({0, 104}), learn({0, 48})) << kernels->name;
  }
}

TEST(EmbeddingKernels, SigmoidsOfLargeNumbersAreFinite) {
  for (const EmbeddingKernels* kernels : UsableEmbeddingKernels()) {
    Floats values{-1000, -20, -1, 0, 1, 20, 1000};
    kernels->sigmoid(values.data(), 2, values.size());
    ExpectNear(values, {0, 0, 0.537883F, 1, 1.462117F, 2, 2}, std::string(kernels->name));
  }
}

}  // namespace
}  // namespace atelier::tensor

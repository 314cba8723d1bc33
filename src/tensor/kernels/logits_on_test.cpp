// The exponentials of logits, the same on every instruction set.
#include "tensor/kernels/logits_on.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <vector>

namespace atelier::tensor {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();

double Sum(const FloatKernels& kernels, const std::vector<float>& logits, float largest, float scale,
           float* to = nullptr) {
  return kernels.exponentials({logits.data(), logits.size(), largest, scale, to});
}

TEST(Logits, AgreeWithTheLibraryTo2eMinus7AndOnEveryInstructionSet) {
  std::vector<float> logits;
  for (int i = 0; i <= 80000; ++i) {
    logits.push_back(static_cast<float>(i) * -0.001F);
  }
  std::vector<float> weights(logits.size());
  const double total = Sum(ScalarKernels(), logits, 0, 1, weights.data());
  double expected = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const double exact = std::exp(static_cast<double>(logits[i]));
    expected += exact;
    ASSERT_NEAR(weights[i] / exact, 1, 2e-7) << logits[i];
  }
  EXPECT_NEAR(total / expected, 1, 1e-7);
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    std::vector<float> own(logits.size());
    EXPECT_EQ(Sum(*kernels, logits, 0, 1, own.data()), total) << kernels->name;
    EXPECT_EQ(own, weights) << kernels->name;
    EXPECT_EQ(Sum(*kernels, logits, 0, 1), total) << kernels->name;
  }
}

TEST(Logits, HoldAtTheEnds) {
  const std::vector<float> logits = {kLargest, -kLargest, -std::numeric_limits<float>::infinity()};
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    for (const float scale : {1e-30F, 0.5F, 1.0F, kLargest}) {
      std::vector<float> weights(3);
      EXPECT_EQ(Sum(*kernels, logits, kLargest, scale, weights.data()), 1);
      EXPECT_THAT(weights, testing::ElementsAre(1, 0, 0));
    }
    EXPECT_EQ(Sum(*kernels, {}, 0, 1), 0);
  }
}

TEST(Logits, EverySizeIsSummedWhole) {
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    for (size_t size = 1; size < 200; ++size) {
      EXPECT_EQ(Sum(*kernels, std::vector<float>(size, 3), 3, 2), static_cast<double>(size)) << kernels->name;
    }
  }
}

}  // namespace
}  // namespace atelier::tensor

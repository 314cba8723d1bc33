#include "engine/sampling/exponential.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <vector>

namespace atelier::engine {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();

TEST(ExponentialsTest, AgreeWithTheLibraryTo2eMinus7) {
  std::vector<float> logits;
  for (int i = 0; i <= 80000; ++i) {
    logits.push_back(static_cast<float>(i) * -0.001F);
  }
  std::vector<float> weights(logits.size());
  const double total = Exponentials(logits, 0, 1, weights);
  double expected = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const double exact = std::exp(static_cast<double>(logits[i]));
    expected += exact;
    ASSERT_NEAR(weights[i] / exact, 1, 2e-7) << logits[i];
  }
  EXPECT_NEAR(total / expected, 1, 1e-7);
  EXPECT_EQ(Exponentials(logits, 0, 1, {}), total);
}

TEST(ExponentialsTest, HoldAtTheEnds) {
  const std::vector<float> logits = {kLargest, -kLargest, -std::numeric_limits<float>::infinity()};
  for (const float scale : {1e-30F, 0.5F, 1.0F, kLargest}) {
    std::vector<float> weights(3);
    EXPECT_EQ(Exponentials(logits, kLargest, scale, weights), 1);
    EXPECT_THAT(weights, testing::ElementsAre(1, 0, 0));
  }
  EXPECT_EQ(Exponentials({}, 0, 1, {}), 0);
}

TEST(ExponentialsTest, EverySizeIsSummedWhole) {
  for (size_t size = 1; size < 200; ++size) {
    EXPECT_EQ(Exponentials(std::vector<float>(size, 3), 3, 2, {}), static_cast<double>(size));
  }
}

}  // namespace
}  // namespace atelier::engine

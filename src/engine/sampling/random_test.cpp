#include "engine/sampling/random.h"

#include <gmock/gmock.h>

#include <set>
#include <vector>

namespace atelier::engine {
namespace {

using testing::ElementsAre;

// The known answers that the authors publish with Random123.
TEST(PhiloxTest, GivesThePublishedAnswers) {
  EXPECT_THAT(Philox({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U));
  constexpr uint32_t kOnes = 0xffffffffU;
  EXPECT_THAT(Philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
              ElementsAre(0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU));
  EXPECT_THAT(Philox({0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}, {0xa4093822U, 0x299f31d0U}),
              ElementsAre(0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U));
}

double ChiSquare(const std::vector<int>& counts, double expected) {
  double sum = 0;
  for (const int count : counts) {
    sum += (count - expected) * (count - expected) / expected;
  }
  return sum;
}

TEST(UniformAtTest, IsUniformOverStepsAndOverSeeds) {
  constexpr int kDraws = 100000;
  std::vector<int> by_step(100, 0);
  std::vector<int> by_seed(100, 0);
  for (int i = 0; i < kDraws; ++i) {
    by_step[static_cast<size_t>(UniformAt(42, static_cast<uint64_t>(i)) * 100)]++;
    by_seed[static_cast<size_t>(UniformAt(static_cast<uint64_t>(i), 7) * 100)]++;
  }
  // 99 degrees of freedom: 148.2 is exceeded once in a thousand.
  EXPECT_LT(ChiSquare(by_step, kDraws / 100.0), 148.2);
  EXPECT_LT(ChiSquare(by_seed, kDraws / 100.0), 148.2);
}

TEST(UniformAtTest, NeighbouringStepsAreIndependent) {
  std::vector<int> pairs(100, 0);
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const auto step = static_cast<uint64_t>(i);
    pairs[static_cast<size_t>(UniformAt(1, step) * 10) * 10 + static_cast<size_t>(UniformAt(1, step + 1) * 10)]++;
  }
  EXPECT_LT(ChiSquare(pairs, kDraws / 100.0), 148.2);
}

TEST(UniformAtTest, StaysBelowOneAndRepeats) {
  for (uint64_t step = 0; step < 1000; ++step) {
    const double value = UniformAt(~uint64_t{0}, step << 33U);
    EXPECT_GE(value, 0);
    EXPECT_LT(value, 1);
    EXPECT_EQ(value, UniformAt(~uint64_t{0}, step << 33U));
  }
}

TEST(ChoiceSeedTest, FirstChoiceKeepsTheSeedAndOthersDiffer) {
  EXPECT_EQ(ChoiceSeed(17, 0), 17U);
  std::set<uint64_t> seeds;
  for (uint64_t seed = 0; seed < 32; ++seed) {
    for (uint32_t choice = 0; choice < 32; ++choice) {
      seeds.insert(ChoiceSeed(seed, choice));
    }
  }
  EXPECT_EQ(seeds.size(), 32U * 32U);
}

}  // namespace
}  // namespace atelier::engine

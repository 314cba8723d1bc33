#include "base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace atelier {
namespace {

// The published output of pcg32-demo (M. O'Neill's pcg-c-basic) for seed 42, stream 54.
TEST(Rng, GivesThePublishedNumbers) {
  SeededRng rng(42, 54);
  for (const uint32_t expected : {0xa15c02b7U, 0x7b47f409U, 0xba1d3330U, 0x83d2f293U, 0xbfa4784bU, 0xcbed606eU}) {
    EXPECT_EQ(rng.Next(), expected);
  }
}

TEST(Rng, RepeatsWithItsSeedAndDiffersWithoutIt) {
  SeededRng a(7);
  SeededRng b(7);
  SeededRng c(8);
  SeededRng other_stream(7, 1);
  std::vector<uint32_t> from_a(16);
  std::vector<uint32_t> from_b(16);
  std::generate(from_a.begin(), from_a.end(), [&] { return a.Next(); });
  std::generate(from_b.begin(), from_b.end(), [&] { return b.Next(); });
  EXPECT_EQ(from_a, from_b);
  EXPECT_NE(from_a[0], c.Next());
  EXPECT_NE(from_a[0], other_stream.Next());
}

TEST(Rng, BelowStaysBelowAndIsEven) {
  SeededRng rng(1);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60'000; ++i) {
    const uint32_t value = rng.Below(6);
    ASSERT_LT(value, 6U);
    ++counts.at(value);
  }
  // Chi-square with 5 degrees of freedom: 20.5 has probability 0.001.
  double chi_square = 0;
  for (const int count : counts) {
    chi_square += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  }
  EXPECT_LT(chi_square, 20.5);
  EXPECT_EQ(rng.Below(1), 0U);
}

TEST(Rng, UniformIsInTheHalfOpenUnitInterval) {
  SeededRng rng(3);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double value = rng.Uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.01);
}

TEST(Rng, ShuffleIsAPermutationThatRepeats) {
  std::vector<int> items(100);
  std::iota(items.begin(), items.end(), 0);
  auto first = items;
  auto second = items;
  SeededRng(5).Shuffle(first);
  SeededRng(5).Shuffle(second);
  EXPECT_EQ(first, second);
  EXPECT_NE(first, items);
  std::sort(first.begin(), first.end());
  EXPECT_EQ(first, items);
}

TEST(Rng, TheSystemsFillsWhatItIsGiven) {
  SystemRng rng;
  std::array<std::byte, 64> a{};
  std::array<std::byte, 64> b{};
  rng.Fill(a);
  rng.Fill(b);
  EXPECT_NE(a, b);
  rng.Fill({});
}

}  // namespace
}  // namespace atelier

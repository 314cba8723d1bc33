#include "engine/service/speculation/policy.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace atelier::engine {
namespace {

using Lengths = std::vector<size_t>;

// Steps that cost `first` and `more` for each further row.
StepCosts Costs(int64_t first, int64_t more) {
  StepCosts costs;
  for (size_t i = 1; i <= StepCosts::kMostRows; ++i) {
    costs.Note(StepCosts::kMostRows + 1 - i, first + more * static_cast<int64_t>(StepCosts::kMostRows - i));
  }
  for (int round = 0; round < 100; ++round) {
    for (size_t rows = 1; rows <= StepCosts::kMostRows; ++rows) {
      costs.Note(rows, first + more * static_cast<int64_t>(rows - 1));
    }
  }
  return costs;
}

TEST(StepCosts, LearnsAndInterpolates) {
  StepCosts costs;
  EXPECT_FALSE(costs.known());
  EXPECT_GT(costs.Of(2), costs.Of(1));
  EXPECT_LT(costs.Of(8), 2 * costs.Of(1));
  costs.Note(1, 1000);
  costs.Note(5, 2000);
  EXPECT_GT(costs.Of(3), costs.Of(1));
  EXPECT_LT(costs.Of(3), costs.Of(5));
  EXPECT_GT(costs.Of(9), costs.Of(5));
  for (int i = 0; i < 200; ++i) {
    costs.Note(1, 1000);
    costs.Note(5, 2000);
  }
  EXPECT_NEAR(costs.Of(1), 1000, 50);
  EXPECT_NEAR(costs.Of(5), 2000, 100);
}

TEST(StepCosts, IsNotMisledByStepsThatWereHeldUp) {
  StepCosts costs;
  for (int i = 0; i < 200; ++i) {
    costs.Note(1, i % 5 == 0 ? 8000 : 1000);
    costs.Note(8, i % 7 == 0 ? 20000 : 2000);
  }
  EXPECT_NEAR(costs.Of(8) / costs.Of(1), 2, 0.8);
}

TEST(StepCosts, MovesTogetherAndForgetsWhatIsDear) {
  StepCosts costs;
  for (int i = 0; i < 200; ++i) {
    costs.Note(1, 1000);
    costs.Note(8, 9000);
  }
  EXPECT_NEAR(costs.Of(8) / costs.Of(1), 9, 1);
  for (int i = 0; i < 100; ++i) {
    costs.Note(8, 18000);
  }
  EXPECT_NEAR(costs.Of(1) / costs.Of(8), 1.0 / 9, 0.03);
  const double dear = costs.Of(8) / costs.Of(1);
  for (int i = 0; i < 4000; ++i) {
    costs.Note(1, 2000);
  }
  EXPECT_LT(costs.Of(8) / costs.Of(1), dear / 2);
}

TEST(ChooseLengths, DraftsManyWhereRowsAreCheap) {
  const auto cheap = Costs(1000, 20);
  EXPECT_EQ(ChooseLengths(std::vector<DraftOffer>{{0.95, 15}}, cheap, 0), Lengths{15});
  EXPECT_GE(ChooseLengths(std::vector<DraftOffer>{{0.6, 15}}, cheap, 0)[0], 3);
  EXPECT_LE(ChooseLengths(std::vector<DraftOffer>{{0.6, 15}}, cheap, 0)[0], 9);
  EXPECT_EQ(ChooseLengths(std::vector<DraftOffer>{{0.95, 2}}, cheap, 0), Lengths{2});
}

TEST(ChooseLengths, DraftsNothingWhereItDoesNotPay) {
  EXPECT_EQ(ChooseLengths(std::vector<DraftOffer>{{0.7, 15}}, Costs(1000, 1000), 0), Lengths{0});
  EXPECT_EQ(ChooseLengths(std::vector<DraftOffer>{{0.01, 15}}, Costs(1000, 50), 0), Lengths{0});
  EXPECT_EQ(ChooseLengths(std::vector<DraftOffer>{{0, 0}, {0, 0}}, Costs(1000, 10), 0), (Lengths{0, 0}));
  EXPECT_TRUE(ChooseLengths({}, Costs(1000, 10), 0).empty());
}

TEST(ChooseLengths, CountsThePassesOfAModel) {
  const auto costs = Costs(1000, 20);
  const std::vector<DraftOffer> offers{{0.8, 15, true}};
  const size_t cheap = ChooseLengths(offers, costs, 50)[0];
  const size_t dear = ChooseLengths(offers, costs, 400)[0];
  EXPECT_GT(cheap, dear);
  EXPECT_EQ(ChooseLengths(offers, costs, 1000)[0], 0);
}

TEST(ChooseLengths, DoesNotSlowOthersDown) {
  // Eight answers, one of which repeats itself: its drafts may cost the others a tenth of a step.
  std::vector<DraftOffer> offers(8);
  offers[3] = {0.98, 15};
  const auto lengths = ChooseLengths(offers, Costs(1000, 60), 0);
  EXPECT_GT(lengths[3], 0);
  EXPECT_LE(lengths[3], 3);
  EXPECT_EQ(lengths[0], 0);
  // All repeat themselves: none is slowed down.
  const auto all = ChooseLengths(std::vector<DraftOffer>(3, {0.98, 15}), Costs(1000, 60), 0);
  EXPECT_GE(std::ranges::min(all), 5);
}

TEST(ChooseLengths, KeepsWithinTheRowsThatAreKnown) {
  const auto lengths = ChooseLengths(std::vector<DraftOffer>(10, {0.99, 15}), Costs(1000, 1), 0);
  size_t rows = lengths.size();
  for (const size_t length : lengths) {
    rows += length;
  }
  EXPECT_LE(rows, StepCosts::kMostRows);
}

}  // namespace
}  // namespace atelier::engine

#include "data/folds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace atelier::data {
namespace {

TEST(Folds, HoldEveryRowOnceAndKeepTheStrataEven) {
  std::vector<int64_t> rows;
  std::vector<int32_t> strata;
  for (int64_t i = 0; i < 103; ++i) {
    rows.push_back(10 + 3 * i);
    strata.push_back(i < 17 ? 0 : (i < 40 ? 1 : -1));
  }
  std::map<int64_t, int> seen;
  for (int64_t index = 0; index < 5; ++index) {
    const auto divided = DivideFold(rows, strata, {.index = index, .count = 5, .seed = 3});
    ASSERT_TRUE(divided.ok());
    EXPECT_EQ(divided->held.size() + divided->rest.size(), rows.size());
    EXPECT_TRUE(std::ranges::is_sorted(divided->held) && std::ranges::is_sorted(divided->rest));
    EXPECT_NEAR(static_cast<double>(divided->held.size()), 20.6, 0.61);
    std::map<int32_t, int> held;
    for (const int64_t row : divided->held) {
      ++seen[row];
      ++held[strata[static_cast<size_t>((row - 10) / 3)]];
    }
    EXPECT_NEAR(held[0], 17 / 5.0, 1);
    EXPECT_NEAR(held[1], 23 / 5.0, 1);
    EXPECT_NEAR(held[-1], 63 / 5.0, 1);
  }
  EXPECT_EQ(seen.size(), rows.size());
  EXPECT_TRUE(std::ranges::all_of(seen, [](const auto& entry) { return entry.second == 1; }));
  const auto other = DivideFold(rows, strata, {.index = 0, .count = 5, .seed = 4});
  EXPECT_NE(other->held, DivideFold(rows, strata, {.index = 0, .count = 5, .seed = 3})->held);
}

TEST(Folds, RefuseWhatCannotBeDivided) {
  const std::vector<int64_t> rows{1, 2, 3};
  EXPECT_EQ(DivideFold(rows, {}, {.index = 0, .count = 4}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(DivideFold(rows, {}, {.index = 3, .count = 3}).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(DivideFold(rows, {}, {.index = 2, .count = 3}).ok());
}

}  // namespace
}  // namespace atelier::data

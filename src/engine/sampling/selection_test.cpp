#include "engine/sampling/selection.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/rng.h"

namespace atelier::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr float kNever = -std::numeric_limits<float>::infinity();

std::vector<int32_t> BySorting(const std::vector<float>& values, size_t k) {
  std::vector<int32_t> indexes(values.size());
  std::iota(indexes.begin(), indexes.end(), 0);
  std::erase_if(indexes, [&](int32_t i) { return values[static_cast<size_t>(i)] == kNever; });
  std::stable_sort(indexes.begin(), indexes.end(), [&](int32_t a, int32_t b) {
    return values[static_cast<size_t>(a)] > values[static_cast<size_t>(b)];
  });
  indexes.resize(std::min(k, indexes.size()));
  return indexes;
}

TEST(LargestIndexesTest, AgreesWithSorting) {
  SeededRng rng(1);
  for (const size_t size : {1U, 2U, 31U, 32U, 33U, 1000U, 20000U}) {
    for (const uint32_t levels : {2U, 50U, 1000000U}) {  // few levels: many ties
      std::vector<float> values(size);
      for (float& value : values) {
        value = rng.Below(10) == 0 ? kNever : static_cast<float>(rng.Below(levels));
      }
      for (const size_t k : {size_t{0}, size_t{1}, size_t{20}, size_t{700}, size, size + 5}) {
        EXPECT_EQ(LargestIndexes(values, k), BySorting(values, k)) << size << " " << levels << " " << k;
      }
      const auto first = BySorting(values, 1);
      EXPECT_EQ(LargestIndex(values), first.empty() ? -1 : first[0]);
    }
  }
}

TEST(LargestIndexesTest, AscendingAndDescendingValues) {
  std::vector<float> values(5000);
  std::iota(values.begin(), values.end(), 0.0F);
  EXPECT_EQ(LargestIndexes(values, 40), BySorting(values, 40));
  std::reverse(values.begin(), values.end());
  EXPECT_EQ(LargestIndexes(values, 40), BySorting(values, 40));
}

TEST(LargestIndexesTest, NothingToChoose) {
  EXPECT_THAT(LargestIndexes({}, 3), IsEmpty());
  EXPECT_THAT(LargestIndexes(std::vector<float>{kNever, kNever}, 3), IsEmpty());
  EXPECT_THAT(LargestIndexes(std::vector<float>{kNever, -5.0F}, 3), ElementsAre(1));
  EXPECT_EQ(LargestIndex({}), -1);
}

}  // namespace
}  // namespace atelier::engine

#include "families/batching.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace atelier::families {
namespace {

std::vector<int64_t> Sorted(const std::vector<std::vector<int64_t>>& batches) {
  std::vector<int64_t> all;
  for (const auto& batch : batches) {
    all.insert(all.end(), batch.begin(), batch.end());
  }
  std::ranges::sort(all);
  return all;
}

std::vector<int64_t> Numbers(int64_t count) {
  std::vector<int64_t> all(static_cast<size_t>(count));
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

TEST(Batching, EveryExampleOnceAndTheSeedDecides) {
  const auto first = ShuffledBatches(103, 10, 7, 0);
  EXPECT_EQ(first.size(), 11U);
  EXPECT_EQ(first.back().size(), 3U);
  EXPECT_EQ(Sorted(first), Numbers(103));
  EXPECT_EQ(ShuffledBatches(103, 10, 7, 0), first);
  EXPECT_NE(ShuffledBatches(103, 10, 8, 0), first);
  EXPECT_NE(ShuffledBatches(103, 10, 7, 1), first);
  EXPECT_TRUE(ShuffledBatches(0, 10, 7, 0).empty());
}

TEST(Batching, BucketsHoldLikeLengthsWithinTheBudget) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 200; ++i) {
    lengths.push_back(1 + i * 37 % 50);
  }
  lengths.push_back(500);
  const Buckets buckets{.batch_size = 16, .token_budget = 300};
  const auto first = BucketedBatches(lengths, buckets, 3, 0);
  EXPECT_EQ(Sorted(first), Numbers(201));
  for (const auto& batch : first) {
    int64_t longest = 0;
    int64_t shortest = 1000;
    for (const int64_t example : batch) {
      longest = std::max(longest, lengths[static_cast<size_t>(example)]);
      shortest = std::min(shortest, lengths[static_cast<size_t>(example)]);
    }
    EXPECT_LE(batch.size(), 16U);
    EXPECT_TRUE(batch.size() == 1 || longest * std::ssize(batch) <= 300);
    EXPECT_LE(longest - shortest, 5);
  }
  for (int64_t epoch = 1; epoch < 5; ++epoch) {
    const auto other = BucketedBatches(lengths, buckets, 3, epoch);
    EXPECT_EQ(other.size(), first.size());
    EXPECT_NE(other, first);
  }
}

}  // namespace
}  // namespace atelier::families
